package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// source reads CLDR's JSON files.
type source struct {
	folder string
}

// node is one place in a CLDR file. A fault is remembered from the first step that went wrong, so that a path can
// be written in one line and checked once.
type node struct {
	value any
	at    string
	err   *error
}

// open answers the root of a file, below folder.
func (s source) open(file string, fault *error) node {
	n := node{at: file, err: fault}
	text, err := os.ReadFile(filepath.Join(s.folder, file))
	if err != nil {
		n.fail("read: %v", err)
		return n
	}
	err = json.Unmarshal(text, &n.value)
	if err != nil {
		n.fail("parse: %v", err)
	}
	return n
}

func (n node) fail(format string, args ...any) {
	if *n.err == nil {
		*n.err = fmt.Errorf(n.at+": "+format, args...)
	}
}

// get walks down the keys, which must exist.
func (n node) get(keys ...string) node {
	for _, key := range keys {
		child, ok := n.find(key)
		if !ok {
			n.fail("no %q", key)
			return node{at: n.at + "/" + key, err: n.err}
		}
		n = child
	}
	return n
}

// find answers the child of a key that may be absent.
func (n node) find(key string) (node, bool) {
	object, _ := n.value.(map[string]any)
	value, ok := object[key]
	return node{value: value, at: n.at + "/" + key, err: n.err}, ok
}

func (n node) text() string {
	s, ok := n.value.(string)
	if !ok {
		n.fail("not a text")
	}
	return s
}

func (n node) keys() []string {
	object, _ := n.value.(map[string]any)
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	return keys
}
