package main

import (
	"encoding/json"
	htmltemplate "html/template"
	"strings"
	"text/template/parse"
)

const escaperPrefix = "_html_template_"

// An escapedAction is one place where a template prints a value: what the author wrote, and the escapers that Go put behind it.
type escapedAction struct {
	Action   string   `json:"action"`
	Escapers []string `json:"escapers"`
}

// listEscapers takes the files (JSON) and the name of the main one. Its output is the JSON of the escaped tree's printing actions in the
// order of the text, those of a called template at each of its calls.
func listEscapers(arguments []string) answer {
	filesJSON, main := arguments[0], arguments[1]
	files, err := readFiles(filesJSON)
	if err != nil {
		return answer{kindRuntime, err.Error()}
	}
	set, err := parseHTML(files)
	if err != nil {
		return answer{kindParse, err.Error()}
	}
	// Escaping is part of an execution; this one ends at the first byte of output.
	err = set.ExecuteTemplate(&limitedText{}, main, nil)
	if template := set.Lookup(main); template == nil || isEscapeError(err) {
		return answer{kindParse, err.Error()}
	}
	walk := treeWalk{set: set, open: map[string]bool{}, actions: []escapedAction{}}
	walk.template(main)
	return answer{kindOK, jsonOf(walk.actions)}
}

type treeWalk struct {
	set     *htmltemplate.Template
	open    map[string]bool // the templates under way: a recursive call is not followed
	actions []escapedAction
}

func (walk *treeWalk) template(name string) {
	template := walk.set.Lookup(name)
	if template == nil || walk.open[name] {
		return
	}
	walk.open[name] = true
	walk.list(template.Tree.Root)
	delete(walk.open, name)
}

func (walk *treeWalk) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		walk.node(node)
	}
}

func (walk *treeWalk) node(node parse.Node) {
	switch node := node.(type) {
	case *parse.ActionNode:
		if len(node.Pipe.Decl) == 0 { // `{{ $x := … }}` prints nothing
			walk.actions = append(walk.actions, escapedActionOf(node.Pipe))
		}
	case *parse.TemplateNode:
		walk.template(node.Name)
	case *parse.IfNode:
		walk.branch(&node.BranchNode)
	case *parse.RangeNode:
		walk.branch(&node.BranchNode)
	case *parse.WithNode:
		walk.branch(&node.BranchNode)
	}
}

func (walk *treeWalk) branch(branch *parse.BranchNode) {
	walk.list(branch.List)
	walk.list(branch.ElseList)
}

func escapedActionOf(pipe *parse.PipeNode) escapedAction {
	written, escapers := []string{}, []string{}
	for _, command := range pipe.Cmds {
		if name, isEscaper := strings.CutPrefix(command.String(), escaperPrefix); isEscaper {
			escapers = append(escapers, name)
		} else {
			written = append(written, command.String())
		}
	}
	return escapedAction{strings.Join(written, " | "), escapers}
}

func jsonOf(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // strings and lists of them: nothing that has no JSON
	}
	return string(text)
}
