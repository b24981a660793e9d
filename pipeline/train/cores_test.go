package train

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCPUQuota(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files map[string]string
		want  float64
	}{
		"no control groups": {nil, 0},
		"version 2, no bound": {map[string]string{
			"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "max 100000\n",
		}, 0},
		"version 2": {map[string]string{
			"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "150000 100000\n",
		}, 1.5},
		"version 2, a container that sees its own group as the top": {map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n",
		}, 2},
		"version 2, the host's path in a container": {map[string]string{
			"proc/self/cgroup": "0::/kubepods/pod1/x\n", "sys/fs/cgroup/cpu.max": "50000 100000\n",
		}, 0.5},
		"version 2, the group above is tighter": {map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "100000 100000", "sys/fs/cgroup/a/b/cpu.max": "800000 100000",
		}, 1},
		"version 1": {map[string]string{
			"proc/self/cgroup":                      "4:cpu,cpuacct:/a\n3:memory:/a\n",
			"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us":  "300000\n",
			"sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n",
		}, 3},
		"version 1, no bound": {map[string]string{
			"proc/self/cgroup": "4:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
		}, 0},
		"what nobody can read": {map[string]string{
			"proc/self/cgroup": "x\n0::/\n", "sys/fs/cgroup/cpu.max": "many few\n",
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for name, content := range c.files {
				path := filepath.Join(root, name)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
			}
			assert.InDelta(t, c.want, cpuQuota(root), 1e-9)
		})
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	assert.Equal(t, cores(), share(1))
	assert.Equal(t, cores(), share(0))
	assert.Equal(t, 1, share(1000))
	assert.Positive(t, cores())
}
