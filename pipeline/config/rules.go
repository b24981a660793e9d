package config

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/go-playground/validator/v10"

	"github.com/dosirak-ml/dosirak/pipeline/spelling"
)

// rule is a rule for one text, named in a validate tag. pattern is for the
// JSON Schema; broken returns what is wrong, or "".
type rule struct {
	pattern string
	broken  func(s string) string
}

const environmentHole = "{environment}"

// placeholders are what a training command may hold.
var placeholders = []string{"seed", "data", "out"}

var rules = map[string]rule{
	"modelname":   pattern(`^[a-z0-9][a-z0-9._-]{0,62}$`, "is no model name; a name has lower-case letters, digits, . _ and -, begins with a letter or digit, and has at most 63 characters"),
	"metricname":  pattern(`^[a-z][a-z0-9_.]{0,62}$`, "is no name of a metric; a name has lower-case letters, digits, . and _"),
	"slicename":   pattern(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`, "is no name of a slice; a name has letters, digits, . _ and -, and at most 63 characters"),
	"environment": pattern(`^[a-z0-9][a-z0-9_-]{0,62}$`, "is no name of an environment; a name has lower-case letters, digits, _ and -, and at most 63 characters"),
	"repository":  pattern(`^[a-z0-9]+([.-][a-z0-9]+)*(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$`, "is no repository such as ghcr.io/acme/model, in lower case and without tag or digest"),
	"branch":      {pattern: `^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$`, broken: branch},
	"column":      {broken: column},
	"singleline":  {broken: singleLine},
	"command":     {broken: command},
	"path":        {broken: inside},
	"glob":        {broken: glob},
	"table":       {pattern: `\.(csv|tsv)(\.gz)?$|\.parquet$`, broken: table},
	"separator":   pattern(`^([\t!#-~]|tab|\\t)$`, `is no separator; write one character such as ";" or "|", or tab`),
	"golden":      {broken: golden},
	"manifest":    {pattern: `\.ya?ml$`, broken: manifestPath},
}

func pattern(expression, otherwise string) rule {
	re := regexp.MustCompile(expression)
	return rule{expression, func(s string) string {
		if re.MatchString(s) {
			return ""
		}
		return quote(s) + " " + otherwise
	}}
}

var branchPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$`)

// branch holds what git-check-ref-format allows, less the odd.
func branch(s string) string {
	if !branchPattern.MatchString(s) || strings.Contains(s, "..") || strings.Contains(s, "//") || strings.HasSuffix(s, "/") || strings.HasSuffix(s, ".") || strings.Contains(s+"/", ".lock/") || strings.Contains(s, "/.") {
		return quote(s) + " is no name of a branch such as main or release/2"
	}
	return ""
}

func singleLine(s string) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "is blank"
	case utf8.RuneCountInString(s) > 1024:
		return "is longer than 1024 characters"
	case strings.ContainsFunc(s, unicode.IsControl):
		return quote(s) + " has a line break or a control character"
	}
	return ""
}

func column(s string) string {
	if broken := singleLine(s); broken != "" {
		return broken
	}
	if utf8.RuneCountInString(s) > 128 {
		return "is longer than 128 characters"
	}
	return ""
}

// hole is what looks like a placeholder; ${name} belongs to a shell.
var hole = regexp.MustCompile(`\$?\{([A-Za-z_]+)\}`)

// command may be empty: whether it has to be there is a matter of check.go.
func command(s string) string {
	if utf8.RuneCountInString(s) > 8192 {
		return "is longer than 8192 characters"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return "has a control character"
	}
	for _, m := range hole.FindAllStringSubmatch(s, -1) {
		if strings.HasPrefix(m[0], "$") {
			continue
		}
		if near, ok := spelling.Nearest(m[1], placeholders); ok && near != m[1] {
			return fmt.Sprintf("has the placeholder %s; known are {seed}, {data} and {out}; did you mean {%s}?", m[0], near)
		}
	}
	return ""
}

// inside holds for a path that is relative, written with slashes and does not
// leave the project's folder.
func inside(s string) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "is blank"
	case len(s) > 1024 || strings.ContainsFunc(s, unicode.IsControl):
		return quote(s) + " is no path: it is too long or has a control character"
	case strings.Contains(s, `\`):
		return quote(s) + " has a backslash; write paths with /"
	case path.IsAbs(s) || (len(s) > 1 && s[1] == ':') || strings.HasPrefix(s, "~"):
		return quote(s) + " is not relative; write the path from the folder of this file"
	}
	clean := path.Clean(s)
	switch first, _, _ := strings.Cut(clean, "/"); {
	case first == "..":
		return quote(s) + " leaves the project's folder; only what lies in it can be used"
	case strings.EqualFold(first, ".git") || strings.EqualFold(first, ".dosirak"):
		return quote(s) + " lies in " + first + ", which belongs to the tool"
	}
	return ""
}

func glob(s string) string {
	if broken := inside(s); broken != "" {
		return broken
	}
	if _, err := path.Match(strings.ReplaceAll(s, "**", "*"), ""); err != nil {
		return quote(s) + " is no pattern; * stands for a part of a name, ** for any depth, [a-z] for a character"
	}
	return ""
}

func table(s string) string {
	if broken := inside(s); broken != "" {
		return broken
	}
	if plain := strings.TrimSuffix(s, ".gz"); strings.HasSuffix(plain, ".csv") || strings.HasSuffix(plain, ".tsv") || strings.HasSuffix(s, ".parquet") {
		return ""
	}
	hint := ""
	if strings.HasSuffix(s, ".dvc") {
		hint = "; it is a DVC pointer: name the file without .dvc"
	}
	return quote(s) + " does not end in .csv, .tsv (both also .gz) or .parquet, which are read" + hint
}

func golden(s string) string {
	switch s {
	case "eval":
		return ""
	case "file":
		return `"file" stands for a path: write that of a table, such as data/golden.csv, or eval`
	}
	if near, ok := spelling.Nearest(s, []string{"eval"}); ok {
		return fmt.Sprintf("%s is neither eval nor the path of a table; did you mean %q?", quote(s), near)
	}
	return table(s)
}

func manifestPath(s string) string {
	if broken := inside(s); broken != "" {
		return broken
	}
	for _, m := range hole.FindAllString(s, -1) {
		if m != environmentHole {
			return fmt.Sprintf("%s has the placeholder %s; known is %s", quote(s), m, environmentHole)
		}
	}
	rest := strings.ReplaceAll(s, environmentHole, "")
	switch {
	case strings.ContainsAny(rest, "{}*?[]"):
		return quote(s) + " is no path such as deploy/{environment}.yaml"
	case !strings.HasSuffix(s, ".yaml") && !strings.HasSuffix(s, ".yml"):
		return quote(s) + " does not end in .yaml"
	}
	return ""
}

// fieldRules is the validator with the rules above; made once.
var fieldRules = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		return key
	})
	for name, r := range rules {
		err := v.RegisterValidation(name, func(f validator.FieldLevel) bool { return r.broken(f.Field().String()) == "" })
		if err != nil {
			panic("spec: rule " + name + ": " + err.Error()) // a mistake of this package, found by its tests
		}
	}
	return v
})

// applyRules checks the validate tags of what was decoded into v.
func (d *decoder) applyRules(v any) {
	for _, section := range d.missing {
		if !d.silenced(section) {
			d.problem(section, "is missing")
		}
	}
	var found validator.ValidationErrors
	if !errors.As(fieldRules().Struct(v), &found) {
		return
	}
	for _, e := range found {
		_, at, _ := strings.Cut(e.Namespace(), ".")
		at = strings.TrimPrefix(at, "Config.") // embedded, for a comparison
		if d.silenced(at) || d.inMissing(at) {
			continue
		}
		d.problem(at, "%s", d.ruleMessage(e, at))
	}
}

func (d *decoder) inMissing(at string) bool {
	for _, section := range d.missing {
		if at == section || strings.HasPrefix(at, section+".") {
			return true
		}
	}
	return false
}

func (d *decoder) ruleMessage(e validator.FieldError, at string) string {
	list := e.Kind() == reflect.Slice
	value := fmt.Sprint(e.Value())
	switch e.Tag() {
	case "required":
		switch {
		case !d.given(at) && at == "version":
			return "is missing; write version: 1"
		case !d.given(at):
			return "is missing"
		case e.Kind() == reflect.Int:
			return "is 0; this release knows 1"
		}
		return "is empty"
	case "oneof":
		words := strings.Fields(e.Param())
		return fmt.Sprintf("%s is not one of %s%s", quote(value), strings.Join(words, ", "), spelling.Hint(value, words))
	case "eq":
		return fmt.Sprintf("is %s; this release knows %s", value, e.Param())
	case "min":
		if list {
			return fmt.Sprintf("needs at least %s", entries(e.Param()))
		}
		return fmt.Sprintf("is %s; the least is %s", value, e.Param())
	case "max":
		if list {
			return fmt.Sprintf("has more than %s", entries(e.Param()))
		}
		return fmt.Sprintf("is %s; the most is %s", value, e.Param())
	case "gt":
		return fmt.Sprintf("is %s; it must be more than %s", value, e.Param())
	case "lt":
		return fmt.Sprintf("is %s; it must be less than %s", value, e.Param())
	}
	if r, ok := rules[e.Tag()]; ok {
		return r.broken(value)
	}
	return fmt.Sprintf("breaks the rule %s", e.Tag())
}

func entries(n string) string {
	if n == "1" {
		return "one entry"
	}
	return n + " entries"
}
