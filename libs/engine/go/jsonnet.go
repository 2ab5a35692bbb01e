package main

import (
	"errors"
	"io"
	"strings"

	"github.com/google/go-jsonnet"
	"github.com/google/go-jsonnet/ast"
	"github.com/google/go-jsonnet/formatter"
	"github.com/google/go-jsonnet/linter"
)

const (
	// The name of the one source in error texts: the real one may be a base64 URI with secrets in it.
	sourceName = "template.jsonnet"
	// Depth of calls within Jsonnet; deeper is a recursion without end, and a clean error before the engine's own stack is used up.
	maxStack = 500
)

type noImports struct{}

func (noImports) Import(_, path string) (jsonnet.Contents, string, error) {
	return jsonnet.Contents{}, "", errors.New("import is disabled: " + path)
}

func newVM() *jsonnet.VM {
	vm := jsonnet.MakeVM()
	vm.Importer(noImports{})
	vm.MaxStack = maxStack
	vm.SetTraceOut(io.Discard) // std.trace prints what it is given: codes, addresses
	return vm
}

// evaluateJsonnet takes the source, the context and the hidden extras, both JSON, and prints what the template makes of `ctx`.
func evaluateJsonnet(arguments []string) answer {
	source, contextJSON, extrasJSON := arguments[0], arguments[1], arguments[2]
	program, err := compileOnce(func() (ast.Node, error) { return jsonnet.SnippetToAST(sourceName, source) }, "jsonnet", source)
	if err != nil {
		return answer{kindParse, err.Error()}
	}
	context, err := contextNode(contextJSON, extrasJSON)
	if err != nil {
		return answer{kindRuntime, "ctx: " + err.Error()}
	}
	vm := newVM()
	vm.TLANode("ctx", context)
	text, err := vm.Evaluate(program)
	if err != nil {
		return failedEvaluation(err)
	}
	return answer{kindOK, text}
}

// failedEvaluation tells `error "cancel"`, by which a template says that its message shall not be sent, from a failure.
func failedEvaluation(err error) answer {
	first, _, _ := strings.Cut(err.Error(), "\n")
	if first == "RUNTIME ERROR: cancel" {
		return answer{kindCancel, "cancel"}
	}
	// A panic that go-jsonnet caught itself: behind the first line comes the stack of the engine, nobody's business.
	if strings.HasPrefix(first, "(CRASH) ") {
		return answer{kindRuntime, first}
	}
	return answer{kindRuntime, err.Error()}
}

// lintJsonnet takes a source and its file's name; its output is the linter's report, empty when there is nothing to say.
func lintJsonnet(arguments []string) answer {
	source, name := arguments[0], arguments[1]
	report := &limitedText{left: maxOutputBytes}
	linter.LintSnippet(newVM(), report, []linter.Snippet{{FileName: name, Code: source}})
	return answer{kindOK, report.text.String()}
}

func formatJsonnet(arguments []string) answer {
	text, err := formatter.Format(sourceName, arguments[0], formatter.DefaultOptions())
	if err != nil {
		return answer{kindParse, err.Error()}
	}
	return answer{kindOK, text}
}
