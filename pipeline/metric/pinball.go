package metric

import (
	"fmt"
	"strconv"
)

func init() {
	patterns["pinball_"] = func(suffix string) (Metric, error) {
		q, err := strconv.ParseFloat(suffix, 64)
		if err != nil || !(q > 0 && q < 1) {
			return Metric{}, fmt.Errorf("metric %q is unknown: after pinball_ stands a quantile between 0 and 1, such as pinball_0.9", "pinball_"+suffix)
		}
		return mean(Metric{
			Name:  "pinball_" + suffix,
			Doc:   "Mean of q·(target - value) where the target is above the value, else (1-q)·(value - target) (Koenker and Bassett, Econometrica 46, 1978).",
			Tasks: regression,
			Needs: NeedValue,
		}, func(d *Data, dst []float64) string {
			for i, y := range d.Target {
				if e := y - d.Value[i]; e >= 0 {
					dst[i] = q * e
				} else {
					dst[i] = (q - 1) * e
				}
			}
			return ""
		}), nil
	}
}
