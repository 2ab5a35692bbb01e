package main

import (
	"encoding/json"
	"errors"
	htmltemplate "html/template"
	"io"
	"maps"
	"slices"
	texttemplate "text/template"
)

// A templateSet is the files of one folder: each may use the others by `{{ template "name" . }}`.
type templateSet interface {
	ExecuteTemplate(output io.Writer, name string, data any) error
}

// renderTemplate takes the files (JSON, name to source), the name of the main one, the mode, the data (JSON) and the names of the data's
// fields (a JSON array, or null for data that may have any).
func renderTemplate(arguments []string) answer {
	filesJSON, main, mode, dataJSON, fieldsJSON := arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]
	set, err := compileOnce(func() (templateSet, error) { return parseSet(filesJSON, mode) }, filesJSON, mode)
	if err != nil {
		return answer{kindParse, err.Error()}
	}
	data, err := readData(dataJSON, fieldsJSON)
	if err != nil {
		return answer{kindRuntime, "data: " + err.Error()}
	}
	output := &limitedText{left: maxOutputBytes}
	if err := set.ExecuteTemplate(output, main, data.value); err != nil {
		return failedRender(err, data)
	}
	return answer{kindOK, output.text.String()}
}

func failedRender(err error, data templateData) answer {
	if errors.Is(err, errTooLong) {
		return outputTooLong()
	}
	// Go finds out at the first execution where a value would stand that it cannot escape.
	if isEscapeError(err) {
		return answer{kindParse, err.Error()}
	}
	return answer{kindRuntime, data.explain(err)}
}

func isEscapeError(err error) bool {
	_, isEscape := errors.AsType[*htmltemplate.Error](err)
	return isEscape
}

func parseSet(filesJSON, mode string) (templateSet, error) {
	files, err := readFiles(filesJSON)
	if err != nil {
		return nil, err
	}
	if mode == "html" {
		return parseHTML(files)
	}
	set := texttemplate.New("").Funcs(safeFunctions())
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if _, err := set.New(name).Parse(files[name]); err != nil {
			return nil, err
		}
	}
	return set, nil
}

func readFiles(filesJSON string) (files map[string]string, err error) {
	err = json.Unmarshal([]byte(filesJSON), &files)
	return files, err
}

func parseHTML(files map[string]string) (*htmltemplate.Template, error) {
	set := htmltemplate.New("").Funcs(safeFunctions())
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if _, err := set.New(name).Parse(files[name]); err != nil {
			return nil, err
		}
	}
	return set, nil
}
