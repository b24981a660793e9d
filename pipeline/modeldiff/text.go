package modeldiff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// short returns a name of content as far as a reader compares it: the first
// 12 hexadecimal digits of a digest or an object's name.
func short(name string) string {
	const digits = 12
	hexadecimal := strings.TrimPrefix(name, "sha256:")
	if !hexadecimals.MatchString(hexadecimal) {
		return name
	}
	return name[:len(name)-len(hexadecimal)] + hexadecimal[:digits] + "…"
}

var hexadecimals = regexp.MustCompile(`^[0-9a-f]{13,}$`)

// maxText bounds the texts of a change, in runes. The report allows 128.
const maxText = 120

// contrast cuts two different texts so that the difference is still seen: of
// a command's two long lines the first 120 runes may well be equal.
func contrast(old, new string) (string, string) {
	a, b := []rune(strings.ToValidUTF8(old, "\uFFFD")), []rune(strings.ToValidUTF8(new, "\uFFFD"))
	if len(a) <= maxText && len(b) <= maxText {
		return string(a), string(b)
	}
	same := 0
	for same < len(a) && same < len(b) && a[same] == b[same] {
		same++
	}
	// Some of what is equal stays before the difference, to find one's way.
	const before = 20
	from := 0
	if same > maxText/2 {
		from = same - before
	}
	return cut(a, from), cut(b, from)
}

func cut(text []rune, from int) string {
	if len(text) == 0 {
		return "" // not there, which is not the same as the start of something
	}
	from = min(from, len(text))
	head, room := "", maxText
	if from > 0 {
		head, room = "…", room-1
	}
	text = text[from:]
	if len(text) > room {
		return head + string(text[:room-1]) + "…"
	}
	return head + string(text)
}

// Bounds of what is shown of a trainer's parameters: deeper values are shown
// as JSON, and so are lists.
const maxDepth = 6

// flatten returns parameters by their path, as text.
func flatten(params map[string]any) map[string]string {
	out := map[string]string{}
	flattenInto(out, "", params, 0)
	return out
}

func flattenInto(out map[string]string, prefix string, params map[string]any, depth int) {
	for key, value := range params {
		path := prefix + plain(key)
		if inner, ok := value.(map[string]any); ok && depth < maxDepth && len(inner) > 0 {
			flattenInto(out, path+".", inner, depth+1)
			continue
		}
		out[path] = valueText(value)
	}
}

var plainKey = regexp.MustCompile(`^[^\s."]+$`)

// plain quotes a key that could be mistaken for a path of two.
func plain(key string) string {
	if plainKey.MatchString(key) {
		return key
	}
	return strconv.Quote(key)
}

// valueText returns a JSON value as text: a string as it is, unless it could
// be mistaken for another kind of value or for none.
func valueText(value any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if s, ok := value.(string); ok && s != "" && !json.Valid([]byte(s)) {
		return s
	}
	return text
}
