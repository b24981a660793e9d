package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
	"sync"

	"github.com/dosirak-ml/dosirak/pipeline/report"
)

//go:embed page.gohtml
var source string

//go:embed style.css
var style string

// parsed is made once: parsing costs more than printing.
var parsed = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{"minus": minus, "count": report.Count}).Parse(source))
})

// minus sets negative figures with a real minus sign: a hyphen before a digit
// and not within a word or a date.
func minus(s string) string {
	if !strings.Contains(s, "-") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		before := i == 0 || strings.IndexByte(" (.", s[i-1]) >= 0
		if s[i] == '-' && before && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' {
			b.WriteString("−")
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// policy allows the style sheet by its hash and nothing else.
var policy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
})

// Render returns the page.
func Render(r *report.Report) ([]byte, error) { return RenderProposed(r, report.Proposal{}) }

// RenderProposed returns the page of a run whose model is proposed already.
func RenderProposed(r *report.Report, p report.Proposal) ([]byte, error) {
	v := viewOf(r)
	v.Next = p.Taken(v.Next)
	// The style sheet is part of this program, not of the report.
	v.CSS, v.Policy = template.CSS(style), policy()
	var b bytes.Buffer
	if err := parsed().Execute(&b, v); err != nil {
		return nil, fmt.Errorf("rendering the page: %w", err)
	}
	return b.Bytes(), nil
}
