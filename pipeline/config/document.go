package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/dosirak-ml/dosirak/pipeline/fault"
)

// Bounds of a file. The deepest key of a config is four levels down; the
// parser's memory grows with the square of the depth, and its time with the
// square of the lines of one text.
const (
	MaxFileBytes = 256 << 10
	MaxLines     = 4000
	maxTokens    = 50_000 // the 20,000 features of the widest table are 40,000
	maxDepth     = 32
	maxIndent    = 128
)

// document parses the text of one YAML document into its root, which is nil
// exactly when there are problems.
func document(data []byte) (ast.Node, []Problem) {
	root, problems := syntax(data)
	for i := range problems {
		problems[i].Code = fault.ConfigSyntax
	}
	return root, problems
}

func syntax(data []byte) (ast.Node, []Problem) {
	fail := func(line, column int, format string, args ...any) (ast.Node, []Problem) {
		return nil, []Problem{{Line: line, Column: column, Message: fmt.Sprintf(format, args...)}}
	}
	if len(data) > MaxFileBytes {
		return fail(1, 1, "the file is larger than %d KiB", MaxFileBytes>>10)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if at := invalid(data); at >= 0 {
		line := 1 + bytes.Count(data[:at], []byte("\n"))
		return fail(line, 1+utf8.RuneCount(data[bytes.LastIndexByte(data[:at], '\n')+1:at]), "the text is not UTF-8 or has a control character")
	}
	if lines := bytes.Count(data, []byte("\n")); lines > MaxLines {
		return fail(MaxLines+1, 1, "the file has more than %d lines", MaxLines)
	}
	tokens, err := tokenize(string(data))
	if err != nil {
		return fail(1, 1, "%v", err)
	}
	if problems := bounded(tokens); len(problems) > 0 {
		return nil, problems
	}
	file, err := parse(tokens)
	var told yaml.Error
	switch {
	case errors.As(err, &told) && told.GetToken() != nil:
		line, column := position(told.GetToken())
		return fail(line, column, "YAML: %s", strings.TrimSpace(told.GetMessage()))
	case err != nil:
		return fail(1, 1, "YAML: %v", err)
	}
	var root ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			line, column := nodePosition(doc.Body)
			return fail(line, column, "a second document begins here; one file holds one")
		}
		root = doc.Body
	}
	if root == nil {
		return fail(1, 1, "the file is empty")
	}
	return root, nil
}

// invalid returns the offset of the first byte that is not UTF-8 or of the
// first control character that YAML does not allow, or -1.
func invalid(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if (r == utf8.RuneError && size == 1) || (r < ' ' && r != '\n' && r != '\t') || (r >= 0x7f && r < 0xa0) {
			return i
		}
		i += size
	}
	return -1
}

// tokenize and parse turn a panic of the YAML library into an error: the text
// may come from a fork, and a crash says nothing about where it is wrong.
func tokenize(text string) (tokens token.Tokens, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the text is no YAML that can be read")
		}
	}()
	return lexer.Tokenize(text), nil
}

func parse(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the text is no YAML that can be read")
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// bounded refuses before parsing what can make a small file large or deep.
func bounded(tokens token.Tokens) []Problem {
	var problems []Problem
	refuse := func(tk *token.Token, message string) {
		line, column := position(tk)
		problems = append(problems, Problem{Line: line, Column: column, Message: message})
	}
	if len(tokens) > maxTokens {
		refuse(tokens[maxTokens], "the file has too many values")
		return problems
	}
	depth := 0
	for _, tk := range tokens {
		switch tk.Type {
		case token.AnchorType, token.AliasType:
			refuse(tk, "anchors and aliases (& and *) are not supported; write the value out, and put a text that begins so in quotes")
		case token.MergeKeyType:
			refuse(tk, "merge keys (<<) are not supported; write the keys out")
		case token.TagType:
			refuse(tk, "tags (!) are not supported; put a text that begins so in quotes")
		case token.DirectiveType:
			refuse(tk, "directives (%) are not supported; put a text that begins so in quotes")
		case token.MappingKeyType:
			refuse(tk, "keys that begin with ? are not supported; write key: value")
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		}
		line, column := position(tk)
		if depth > maxDepth || (tk.Position != nil && tk.Position.IndentNum > maxIndent) || (tk.Type == token.SequenceEntryType && column > maxIndent) {
			return []Problem{{Line: line, Column: column, Message: "the values are nested too deeply"}}
		}
		if len(problems) > 10 {
			break
		}
	}
	return problems
}

func position(tk *token.Token) (line, column int) {
	if tk == nil || tk.Position == nil {
		return 1, 1
	}
	return max(tk.Position.Line, 1), max(tk.Position.Column, 1)
}

// nodePosition returns where a value begins: a block mapping at its first key.
func nodePosition(n ast.Node) (line, column int) {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return position(n.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return position(n.Key.GetToken())
	}
	return position(n.GetToken())
}
