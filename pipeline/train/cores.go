package train

import (
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Numerical libraries take every core that they see, and replicates that run
// side by side then fight for them: each would be many times slower than alone.
// So each replicate is told its share of the cores, by the variables that the
// libraries read, unless the user has said something else.

// threadVariables are read by OpenMP (scikit-learn, LightGBM, XGBoost, PyTorch),
// OpenBLAS, BLIS, MKL, Accelerate, NumExpr, Numba, Polars, Rayon, TensorFlow,
// joblib's loky, Go, and os.cpu_count of Python 3.13. Julia and R's parallel take
// few threads unless they are told to take more, so they are left alone.
//
// https://docs.python.org/3/using/cmdline.html#envvar-PYTHON_CPU_COUNT and
// https://scikit-learn.org/stable/computing/parallelism.html say what each is.
var threadVariables = []string{
	"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
	"NUMEXPR_MAX_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS",
	"TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "LOKY_MAX_CPU_COUNT", "GOMAXPROCS", "PYTHON_CPU_COUNT",
}

// threads returns the variables that limit a replicate, as NAME=value: the
// user's where there is one, else the share. Whoever set OMP_NUM_THREADS means
// the others too, unless they are set themselves.
func threads(env []string, share int) []string {
	set := map[string]string{}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		if slices.Contains(threadVariables, name) && value != "" {
			set[name] = value
		}
	}
	other := strconv.Itoa(share)
	// "4,2" are the numbers for nested levels.
	// https://www.openmp.org/spec-html/5.0/openmpse50.html
	if first, _, _ := strings.Cut(set["OMP_NUM_THREADS"], ","); first != "" {
		if n, err := strconv.Atoi(first); err == nil && n > 0 {
			other = first
		}
	}
	out := make([]string, 0, len(threadVariables))
	for _, name := range threadVariables {
		value, ok := set[name]
		if !ok {
			value = other
		}
		out = append(out, name+"="+value)
	}
	return out
}

// share is how many cores each of n replicates at once may use.
func share(n int) int { return max(1, cores()/max(1, n)) }

// cores is how many cores this process may use: those that it is allowed to run
// on, and no more than the processor time that its control groups grant.
func cores() int {
	n := runtime.NumCPU()
	if quota := cpuQuota("/"); quota > 0 {
		n = min(n, max(1, int(math.Floor(quota+0.5))))
	}
	return n
}

// cpuQuota is the processor time, in cores, that control groups grant this
// process; 0 for no bound. root is "/", in tests another folder.
func cpuQuota(root string) float64 {
	data, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0
	}
	quota := 0.0
	tighten := func(q float64) {
		if q > 0 && (quota == 0 || q < quota) {
			quota = q
		}
	}
	for line := range strings.Lines(string(data)) {
		// "<hierarchy>:<controllers>:<path>"
		// (https://man7.org/linux/man-pages/man7/cgroups.7.html).
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		var mounts []string
		read := quotaV1
		switch {
		case parts[1] == "":
			mounts, read = []string{"sys/fs/cgroup"}, quotaV2
		case slices.Contains(strings.Split(parts[1], ","), "cpu"):
			mounts = []string{"sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct"}
		}
		for _, mount := range mounts {
			// A group is bound by those above it; in a container the path may be
			// the host's, and then only the top is there.
			for group := path.Clean("/" + parts[2]); ; group = path.Dir(group) {
				tighten(read(filepath.Join(root, mount, group)))
				if group == "/" {
					break
				}
			}
		}
	}
	return quota
}

// quotaV2 reads "<quota> <period>" in microseconds, or "max <period>".
// https://docs.kernel.org/admin-guide/cgroup-v2.html, "cpu.max"
func quotaV2(dir string) float64 {
	data, err := os.ReadFile(filepath.Join(dir, "cpu.max"))
	if err != nil {
		return 0
	}
	words := strings.Fields(string(data))
	if len(words) != 2 {
		return 0
	}
	return ratio(words[0], words[1])
}

// quotaV1 reads two files; a quota of -1 is no bound.
// https://docs.kernel.org/scheduler/sched-bwc.html
func quotaV1(dir string) float64 {
	quota, err := os.ReadFile(filepath.Join(dir, "cpu.cfs_quota_us"))
	if err != nil {
		return 0
	}
	period, err := os.ReadFile(filepath.Join(dir, "cpu.cfs_period_us"))
	if err != nil {
		return 0
	}
	return ratio(strings.TrimSpace(string(quota)), strings.TrimSpace(string(period)))
}

func ratio(quota, period string) float64 {
	q, err := strconv.ParseFloat(quota, 64)
	if err != nil || q <= 0 {
		return 0
	}
	p, err := strconv.ParseFloat(period, 64)
	if err != nil || p <= 0 {
		return 0
	}
	return q / p
}
