package web

import (
	"sollecito/internal/stepup"
	"sollecito/views"
)

// codeFault is the fault of the field a mailed code is typed into, by the key of its sentence.
func codeFault(key string) []views.Fault {
	return []views.Fault{{Field: "code", Said: views.Said{Key: key}}}
}

// refusedCode is what a page says of a code that did not prove what was needed.
func refusedCode(v stepup.Verdict) []views.Fault {
	if v == stepup.Wrong {
		return codeFault("code.fault_wrong")
	}
	return codeFault("code.fault_void")
}
