package campaign

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
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
	if len(file.Docs) > 0 && file.Docs[0].Body != nil && file.Docs[0].Body.Type() == ast.DirectiveType {
		return document{}, Flaws{{1, "a line that begins with % tells programs how to read; leave it out"}}
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
	if flaws := strangers(reflect.TypeFor[Campaign](), file.Docs[0].Body); len(flaws) > 0 {
		return document{}, flaws
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

// strangers notes the names that no field of the type has, each with the one that may be meant.
func strangers(t reflect.Type, n ast.Node) Flaws {
	var flaws Flaws
	switch t.Kind() {
	case reflect.Pointer:
		return strangers(t.Elem(), n)
	case reflect.Slice:
		list, is := n.(*ast.SequenceNode)
		if is {
			for _, value := range list.Values {
				flaws = append(flaws, strangers(t.Elem(), value)...)
			}
		}
	case reflect.Map:
		for _, field := range fields(n) {
			flaws = append(flaws, strangers(t.Elem(), field.Value)...)
		}
	case reflect.Struct:
		for _, field := range fields(n) {
			into, _, known := fieldNamed(t, field.Key)
			if !known {
				flaws = append(flaws, stranger(t, field.Key))
				continue
			}
			flaws = append(flaws, strangers(into, field.Value)...)
		}
	}
	return flaws
}

func stranger(t reflect.Type, key ast.Node) Flaw {
	named, is := key.(*ast.StringNode)
	if !is {
		return Flaw{key.GetToken().Position.Line, fmt.Sprintf("there is no field %s; the schema, sollecito campaign schema, names them all", key)}
	}
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "-" {
			names = append(names, name)
		}
	}
	meant := nearest(named.Value, names)
	return Flaw{key.GetToken().Position.Line, fmt.Sprintf("there is no field %q%s; the schema, sollecito campaign schema, names them all", named.Value, meant)}
}

// numberForm is how a whole number is written: what begins with a nought YAML may read to the base of eight.
var numberForm = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`)

// plainly notes what YAML reads otherwise than people do: a field that is named and holds nothing, one that is named by a
// number, and a number that is read to another base. name is the field that holds the node.
func (d *document) plainly(name string, n ast.Node) {
	flaw := func(at ast.Node, format string, args ...any) {
		line := 1
		if at.GetToken() != nil && at.GetToken().Position != nil {
			line = at.GetToken().Position.Line
		}
		d.flaws = append(d.flaws, Flaw{line, fmt.Sprintf(format, args...)})
	}
	switch n := n.(type) {
	case *ast.NullNode:
		flaw(n, "nothing stands behind %s; write its value, or leave it out", cmp.Or(name, "the dash"))
	case *ast.IntegerNode:
		if !numberForm.MatchString(n.GetToken().Value) {
			flaw(n, "%s is not read as it looks; write the number with digits alone, as 10", n.GetToken().Value)
		}
	case *ast.MappingNode:
		for _, value := range n.Values {
			d.plainly("", value)
		}
	case *ast.MappingValueNode:
		_, text := n.Key.(*ast.StringNode)
		if !text {
			flaw(n, "there is no field %s; the schema, sollecito campaign schema, names them all", n.Key)
		}
		d.plainly(n.Key.String()+":", n.Value)
	case *ast.SequenceNode:
		for _, value := range n.Values {
			d.plainly("", value)
		}
	}
}

// readsItself is a type that says itself how it is written, as a time of day does.
var readsItself = reflect.TypeFor[yaml.InterfaceUnmarshaler]()

// numbers notes texts that the library would take for the number that a field of the type wants: 1e3 is one to YAML 1.1, and
// a text to people who look for digits.
func (d *document) numbers(n ast.Node, t reflect.Type) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || reflect.PointerTo(t).Implements(readsItself) {
		return
	}
	switch n := n.(type) {
	case *ast.StringNode:
		if t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 && !numberForm.MatchString(n.Value) {
			d.flaws = append(d.flaws, Flaw{n.GetToken().Position.Line, n.Value + " is not read as it looks; write the number with digits alone, as 10"})
		}
	case *ast.MappingNode:
		for _, value := range n.Values {
			d.numbers(value, t)
		}
	case *ast.MappingValueNode:
		d.numbers(n.Value, fieldType(t, n.Key.GetToken().Value))
	case *ast.SequenceNode:
		if t.Kind() != reflect.Slice {
			return
		}
		for _, value := range n.Values {
			d.numbers(value, t.Elem())
		}
	}
}

// fieldType answers the type of what stands behind a name in a value of the type, nil when nothing does.
func fieldType(t reflect.Type, name string) reflect.Type {
	if t.Kind() == reflect.Map {
		return t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		written, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if written == name {
			return f.Type
		}
	}
	return nil
}

// kinds notes what the library reads as what is wanted although something else stands there, which the published schema
// refuses: a number in quotes, a text without them, and quotes with nothing between them where a field may be left out.
func (d *document) kinds(t reflect.Type, n ast.Node) {
	wanted := wordFor(t)
	switch t.Kind() {
	case reflect.Pointer:
		d.kinds(t.Elem(), n)
		return
	case reflect.Slice:
		list, is := n.(*ast.SequenceNode)
		if is && t != reflect.TypeFor[OneOrMore]() {
			for _, value := range list.Values {
				d.kinds(t.Elem(), value)
			}
		}
		return
	case reflect.Map:
		for _, field := range fields(n) {
			d.kinds(t.Elem(), field.Value)
		}
		return
	case reflect.Struct:
		for _, field := range fields(n) {
			into, optional, known := fieldNamed(t, field.Key)
			if !known {
				continue
			}
			d.kinds(into, field.Value)
			text, is := field.Value.(*ast.StringNode)
			if is && optional && text.Value == "" && into.Kind() == reflect.String {
				d.flaws = append(d.flaws, Flaw{text.GetToken().Position.Line, fmt.Sprintf("nothing stands behind %s:; write its value, or leave it out", field.Key)})
			}
		}
		return
	}
	stands, scalar := nodeWords[n.Type()]
	if t == reflect.TypeFor[TimeOfDay]() || !scalar || stands == wanted || n.Type() == ast.NullType { // each has words of its own
		return
	}
	mend := "; write it without quotes"
	if wanted == aText {
		mend = "; put it in quotes"
	}
	d.flaws = append(d.flaws, Flaw{n.GetToken().Position.Line, wrongKind(stands, wanted) + mend})
}

// fields are what a group of fields holds, however the library keeps a group of one.
func fields(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// fieldNamed is the type of what a document calls key, and whether it may be left out; known is false where there is no
// such field.
func fieldNamed(t reflect.Type, key ast.Node) (into reflect.Type, optional, known bool) {
	named, is := key.(*ast.StringNode)
	for i := range t.NumField() {
		name, rest, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if is && name == named.Value {
			return t.Field(i).Type, strings.Contains(rest, "omitempty"), true
		}
	}
	return nil, false, false
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
	var kind *yaml.TypeError
	var node *yaml.UnexpectedNodeTypeError
	var large *yaml.OverflowError
	switch twice := definedTwice.FindStringSubmatch(text); {
	case twice != nil:
		text = fmt.Sprintf("%s stands here a second time, first in line %s; keep one", twice[1], twice[2])
	case errors.As(err, &kind):
		text = wrongKind(wordFor(kind.SrcType), wordFor(kind.DstType))
	case errors.As(err, &node):
		text = wrongKind(nodeWords[node.Actual], nodeWords[node.Expected])
	case errors.As(err, &large):
		text = "the number " + large.SrcNum + " is too large"
	default:
		text = mended(text)
	}
	return Flaws{{line, text}}
}

// definedTwice is how the library says that a field stands twice, with the line of the first.
var definedTwice = regexp.MustCompile(`^mapping key (".*") already defined at \[(\d+):`)

// mends are what helps where the library says these words.
var mends = []struct{ said, mend string }{
	{"'\t'", "a line begins with a tab; indent with spaces"},
	{"non-map value", "a field is its name, a colon, a space and its value, as title: Small"},
	{"must be specified", "a list that opens with [ ends with ], and { with }"},
	{"double-quoted", "a quote that opens is closed on the same line"},
	{"single-quoted", "a quote that opens is closed on the same line"},
	{"reserved character", "a text that begins with a sign stands in quotes"},
	{"not allowed in this context", "fields that belong together are indented alike, each on a line of its own; a text with a colon stands in quotes, and quotes are closed"},
}

// mended is what the library says with what to do about it.
func mended(said string) string {
	for _, m := range mends {
		if strings.Contains(said, m.said) {
			return m.mend
		}
	}
	return "it cannot be read as YAML from here on: " + said + "; look at its indentation, colons and quotes"
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
