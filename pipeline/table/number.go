package table

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Missing reports whether a cell is one of the spellings of "no value": those
// that pandas.read_csv takes for missing by default (pandas 2 and 3,
// pandas._libs.parsers.STR_NA_VALUES; a test asks pandas).
func Missing(cell string) bool {
	switch cell {
	case "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
		"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null":
		return true
	}
	return false
}

// pow10 holds the powers of ten that a float64 holds exactly.
var pow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// Number reads a cell as a number: a decimal number, correctly rounded, or an
// infinity (inf, -Infinity), spaces around it set aside. A missing value is NaN
// and true; text that is no number is NaN and false, and WhyNoNumber says why.
//
// Plain decimals of up to 15 digits are exact integers divided by an exact
// power of ten, which rounds once (Clinger, PLDI 1990); all else goes to
// strconv.
func Number[T ~string | ~[]byte](cell T) (float64, bool) {
	i, negative := 0, false
	if len(cell) > 0 && (cell[0] == '-' || cell[0] == '+') {
		negative = cell[0] == '-'
		i = 1
	}
	var mantissa uint64
	digits, fraction, point := 0, 0, false
	for ; i < len(cell); i++ {
		c := cell[i]
		if c >= '0' && c <= '9' {
			mantissa = mantissa*10 + uint64(c-'0')
			digits++
			if point {
				fraction++
			}
			if digits > 15 {
				return slowNumber(string(cell))
			}
			continue
		}
		if c == '.' && !point {
			point = true
			continue
		}
		return slowNumber(string(cell))
	}
	if digits == 0 {
		return slowNumber(string(cell))
	}
	v := float64(mantissa)
	if fraction > 0 {
		v /= pow10[fraction]
	}
	if negative {
		v = -v
	}
	return v, true
}

func slowNumber(cell string) (float64, bool) {
	v, err := parse(cell)
	if err == nil {
		return v, true
	}
	if Missing(cell) {
		return math.NaN(), true
	}
	trimmed := strings.Trim(cell, " \t")
	if len(trimmed) == len(cell) {
		return math.NaN(), false
	}
	return slowNumber(trimmed)
}

var errNoNumber = errors.New("no number")

// parse is strconv.ParseFloat without what no other tool that touches a table
// reads: hexadecimal numbers, digits with underscores, and spellings of NaN
// that are no missing value to pandas. It allocates nothing where a cell is no
// number by its letters.
func parse(cell string) (float64, error) {
	if cell == "" || cell[0] > '9' && cell[0]|0x20 != 'i' {
		return 0, errNoNumber // nearly all text ends here, where strconv would make an error
	}
	for i := range len(cell) {
		switch c := cell[i]; {
		case c >= '0' && c <= '9', c == '.', c == '+', c == '-', c == 'e', c == 'E':
		default:
			return infinity(cell)
		}
	}
	return strconv.ParseFloat(cell, 64)
}

// infinity reads inf and Infinity, in any case and with a sign.
func infinity(cell string) (float64, error) {
	sign, word := 1, cell
	if cell[0] == '+' || cell[0] == '-' {
		word = cell[1:]
		if cell[0] == '-' {
			sign = -1
		}
	}
	if strings.EqualFold(word, "inf") || strings.EqualFold(word, "infinity") {
		return math.Inf(sign), nil
	}
	return 0, errNoNumber
}

// WhyNoNumber says what a cell that is no number looks like and what to do
// about it, or "".
func WhyNoNumber(cell string) string {
	text := strings.TrimSpace(cell)
	plain := func(r rune) bool { return r >= '0' && r <= '9' }
	numberWithout := func(cut string) bool {
		_, err := parse(strings.NewReplacer(cut, "").Replace(text))
		return err == nil && strings.ContainsFunc(text, plain)
	}
	comma := strings.LastIndexByte(text, ',')
	_, err := strconv.ParseFloat(text, 64)
	switch {
	case text == "":
		return ""
	case errors.Is(err, strconv.ErrRange):
		return "it is larger than a 64-bit number holds"
	case comma >= 0 && strings.Count(text, ",") == 1 && !strings.Contains(text[comma:], ".") && (len(text)-comma-1 != 3 || strings.Contains(text[:comma], ".")) && decimalComma(text):
		return "it has a decimal comma; write the decimals with a point (pandas: read_csv(..., decimal=\",\"), then to_csv)"
	case comma >= 0 && numberWithout(","):
		return "it has a comma: a thousands separator, or a decimal comma; write 1234.5 (pandas: read_csv(..., thousands=\",\") or decimal=\",\", then to_csv)"
	case hexadecimal(text):
		return "it is a hexadecimal number; write it in decimal digits"
	case strings.Contains(text, "_") && numberWithout("_"):
		return "it has underscores between its digits; leave them out"
	case numberWithout("%"):
		return "it has a percent sign; write the number alone"
	case numberWithout("'"), numberWithout("\u2019"), numberWithout(" "), numberWithout("\u00a0"), numberWithout("\u202f"):
		return "it has thousands separators; write the digits alone"
	case strings.Contains(text, "\u2212"):
		return "it has a typographic minus (U+2212); write -"
	case strings.Trim(text, "$€£¥ ") != text && numberWithout(string(firstOf(text, "$€£¥"))):
		return "it has a currency sign; write the number alone"
	case strings.EqualFold(text, "nan"), strings.EqualFold(text, "na"), strings.EqualFold(text, "n/a"), strings.EqualFold(text, "null"), strings.EqualFold(text, "none"),
		text == "-", text == "--", text == "?", text == ".", text == `\N`, text == "NaT", text == "missing":
		return "if it stands for a missing value, leave the cell empty or write NaN"
	}
	return ""
}

// decimalComma reports whether text is a number once its only comma is a point
// and points before it are gone: 12,5 and 1.234,5.
func decimalComma(text string) bool {
	_, err := parse(strings.Replace(strings.ReplaceAll(text, ".", ""), ",", ".", 1))
	return err == nil
}

func hexadecimal(text string) bool {
	text = strings.ToLower(strings.TrimLeft(text, "+-"))
	digits, ok := strings.CutPrefix(text, "0x")
	return ok && digits != "" && strings.Trim(digits, "0123456789abcdef.p+-") == ""
}

func firstOf(text, any string) rune {
	i := strings.IndexAny(text, any)
	if i < 0 {
		return utf8.RuneError
	}
	r, _ := utf8.DecodeRuneInString(text[i:])
	return r
}

// Integer reads a cell as a whole number, exactly: 70, 70.0, 7e1, and
// 9007199254740993.0, which no float64 holds. The magnitude comes with the sign
// apart. Spaces around it are set aside.
func Integer(cell string) (negative bool, magnitude uint64, ok bool) {
	text := strings.Trim(cell, " \t")
	if text != "" && (text[0] == '-' || text[0] == '+') {
		negative, text = text[0] == '-', text[1:]
	}
	if v, err := strconv.ParseUint(text, 10, 64); err == nil {
		return negative && v != 0, v, true
	}
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(text), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return false, 0, false
	}
	shift := -len(fraction)
	if scientific {
		e, err := strconv.Atoi(exponent)
		if err != nil || e < -10_000 || e > 10_000 {
			return false, 0, false
		}
		shift += e
	}
	digits = strings.TrimLeft(digits, "0")
	switch {
	case digits == "":
		return false, 0, true
	case shift > 20 || len(digits)+shift > 20:
		return false, 0, false
	case shift >= 0:
		digits += strings.Repeat("0", shift)
	case len(digits) <= -shift:
		return false, 0, false
	default:
		cut := len(digits) + shift
		if strings.Trim(digits[cut:], "0") != "" {
			return false, 0, false
		}
		digits = digits[:cut]
	}
	v, err := strconv.ParseUint(digits, 10, 64)
	return negative, v, err == nil
}

// Bool reads a cell as a truth value: true and false, yes and no, t and f, y
// and n in any case, and whatever is the whole number 1 or 0.
func Bool(cell string) (value, ok bool) {
	if value, ok = Word(cell); ok {
		return value, true
	}
	if negative, v, whole := Integer(cell); whole && !negative && v <= 1 {
		return v == 1, true
	}
	return false, false
}

// Word reads a cell that says a truth value in letters.
func Word(cell string) (value, ok bool) {
	switch len(cell) {
	case 1, 2, 3, 4, 5:
	default:
		return false, false
	}
	switch strings.ToLower(cell) {
	case "true", "yes", "t", "y":
		return true, true
	case "false", "no", "f", "n":
		return false, true
	}
	return false, false
}

// TrueFalse reads a cell that pandas.read_csv reads as a boolean: True, TRUE,
// true, False, FALSE, false.
func TrueFalse(cell string) (value, ok bool) {
	switch cell {
	case "True", "TRUE", "true":
		return true, true
	case "False", "FALSE", "false":
		return false, true
	}
	return false, false
}
