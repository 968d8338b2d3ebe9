package campaign

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// readDocument reads a document without asking whether it keeps today's rules: one that was applied keeps those of
// its day. What cannot be read at all is a Flaws.
func readDocument(text []byte) (document, error) {
	text = bytes.TrimPrefix(text, []byte("\uFEFF")) // some editors begin a file with it
	switch {
	case len(text) > mostDocument:
		return document{}, Flaws{{1, fmt.Sprintf("the document has more than %d bytes; a campaign needs a few thousand", mostDocument)}}
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		return document{}, Flaws{{1, "the document is not UTF-8 text"}}
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return document{}, unreadable(err)
	}
	if len(file.Docs) > 1 {
		line := 1
		if file.Docs[1].Start != nil {
			line = file.Docs[1].Start.Position.Line
		}
		return document{}, Flaws{{line, "another document begins here; each campaign stands in a file of its own"}}
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return document{}, Flaws{{1, "the file must hold one campaign; it begins with name:"}}
	}
	if flaw, ok := simple(file.Docs[0].Body, 0); !ok {
		return document{}, Flaws{flaw}
	}
	var c Campaign
	err = yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&c)
	if err != nil {
		return document{}, unreadable(err)
	}
	return document{file: file, Campaign: &c}, nil
}

// simple refuses what a campaign has no use for and a hostile file could grow by: aliases, anchors, tags, merges and
// deep nesting.
func simple(n ast.Node, depth int) (Flaw, bool) {
	refuse := func(text string) (Flaw, bool) {
		line := 1
		if t := n.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
		return Flaw{line, text}, false
	}
	if depth > mostDepth {
		return refuse("it is nested too deeply")
	}
	each := func(children ...ast.Node) (Flaw, bool) {
		for _, child := range children {
			if child == nil {
				continue
			}
			flaw, ok := simple(child, depth+1)
			if !ok {
				return flaw, false
			}
		}
		return Flaw{}, true
	}
	switch n := n.(type) {
	case *ast.AliasNode, *ast.AnchorNode, *ast.TagNode, *ast.MergeKeyNode, *ast.DirectiveNode:
		return refuse("write it out: aliases (&, *), tags (!) and merges (<<) are not read")
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode: // the library would cut it to a whole number without a word
		return refuse("a number here is a whole one; a text that looks like a number stands in quotes")
	case *ast.MappingNode:
		for _, value := range n.Values {
			flaw, ok := each(value.Key, value.Value)
			if !ok {
				return flaw, false
			}
		}
	case *ast.MappingValueNode:
		return each(n.Key, n.Value)
	case *ast.SequenceNode:
		return each(n.Values...)
	}
	return Flaw{}, true
}

// unreadable is what the YAML library says as a flaw: its first complaint.
func unreadable(err error) Flaws {
	var said yaml.Error
	if !errors.As(err, &said) {
		return Flaws{{1, "it cannot be read as YAML: " + err.Error()}}
	}
	line := 1
	if t := said.GetToken(); t != nil && t.Position != nil {
		line = t.Position.Line
	}
	text := said.GetMessage()
	field, unknown := strings.CutPrefix(text, "unknown field ")
	var kind *yaml.TypeError
	var node *yaml.UnexpectedNodeTypeError
	var large *yaml.OverflowError
	switch {
	case unknown:
		text = "there is no field " + field + "; the schema, sollecito campaign schema, names them all"
	case errors.As(err, &kind):
		text = wrongKind(wordFor(kind.SrcType), wordFor(kind.DstType))
	case errors.As(err, &node):
		text = wrongKind(nodeWords[node.Actual], nodeWords[node.Expected])
	case errors.As(err, &large):
		text = "the number " + large.SrcNum + " is too large"
	}
	return Flaws{{line, text}}
}

func wrongKind(stands, wanted string) string {
	return fmt.Sprintf("a value of another kind stands here: %s, where %s is wanted", stands, wanted)
}

// Words for what may stand in a document.
const (
	aText   = "a text"
	aNumber = "a whole number"
	aTruth  = "true or false"
	aList   = "a list"
	aGroup  = "a group of fields"
)

var nodeWords = map[ast.NodeType]string{
	ast.StringType: aText, ast.LiteralType: aText, ast.IntegerType: aNumber, ast.BoolType: aTruth, ast.SequenceType: aList,
	ast.MappingType: aGroup, ast.MappingValueType: aGroup, ast.NullType: "nothing",
}

// wordFor says what kind of value a Go type holds, without naming it.
func wordFor(t reflect.Type) string {
	if t == nil {
		return "nothing"
	}
	switch t.Kind() {
	case reflect.String:
		return aText
	case reflect.Bool:
		return aTruth
	case reflect.Slice, reflect.Array:
		return aList
	case reflect.Map, reflect.Struct:
		return aGroup
	case reflect.Pointer:
		return wordFor(t.Elem())
	}
	return aNumber
}
