package predictions

import "strconv"

// pow10 holds the powers of ten that a float64 holds exactly.
var pow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// parseFloat reads a decimal number, correctly rounded. Plain decimals of up
// to 15 digits are exact integers divided by an exact power of ten, which
// rounds once (Clinger, PLDI 1990); all else goes to strconv. Hexadecimal
// numbers and digits with underscores are none.
func parseFloat(b []byte) (float64, bool) {
	i, negative := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		negative = b[0] == '-'
		i = 1
	}
	var mantissa uint64
	digits, fraction, point := 0, 0, false
	for ; i < len(b); i++ {
		c := b[i]
		if c >= '0' && c <= '9' {
			mantissa = mantissa*10 + uint64(c-'0')
			digits++
			if point {
				fraction++
			}
			if digits > 15 {
				return slowFloat(b)
			}
			continue
		}
		if c == '.' && !point {
			point = true
			continue
		}
		return slowFloat(b)
	}
	if digits == 0 {
		return 0, false
	}
	v := float64(mantissa) / pow10[fraction]
	if negative {
		v = -v
	}
	return v, true
}

func slowFloat(b []byte) (float64, bool) {
	for _, c := range b {
		if c == '_' || c == 'x' || c == 'X' {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(string(b), 64)
	return v, err == nil
}
