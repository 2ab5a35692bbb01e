package main

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
)

// What a template is given: a map, whose missing keys print `<no value>`, or a struct, whose unknown fields are errors.
type templateData struct {
	value any
	// How Go's errors name the struct, and the name that a reader of them can use.
	typeName, shownName string
}

// readData makes of data with known fields the struct that Kratos hands to its templates, so that a misspelt field fails as it does
// there instead of leaving a hole in the mail.
func readData(dataJSON, fieldsJSON string) (templateData, error) {
	var values map[string]any
	if err := json.Unmarshal([]byte(dataJSON), &values); err != nil {
		return templateData{}, err
	}
	var names []string
	if err := json.Unmarshal([]byte(fieldsJSON), &names); err != nil {
		return templateData{}, err
	}
	for name, value := range values {
		values[name] = asField(value)
	}
	if names == nil {
		return templateData{value: values}, nil
	}
	return structOf(names, values), nil
}

func structOf(names []string, values map[string]any) templateData {
	fields := make([]reflect.StructField, len(names))
	for i, name := range names {
		fields[i] = reflect.StructField{Name: name, Type: reflect.TypeOf(fieldValue(values, name))}
	}
	data := reflect.New(reflect.StructOf(fields))
	for i, name := range names {
		data.Elem().Field(i).Set(reflect.ValueOf(fieldValue(values, name)))
	}
	return templateData{data.Interface(), data.Type().String(), "TemplateData{" + strings.Join(names, ", ") + "}"}
}

// fieldValue: an absent field is one that Kratos left out because it was empty.
func fieldValue(values map[string]any, name string) any {
	if value, given := values[name]; given {
		return value
	}
	return ""
}

// asField gives a value of JSON the type that the field had before it was JSON: whole numbers are int (`eq .ExpiresInMinutes 1` compares
// with nothing else), and null was a nil map. Values below stay as JSON has them, since Kratos reads those from JSON too.
func asField(value any) any {
	switch value := value.(type) {
	case nil:
		return map[string]any(nil)
	case float64:
		if value == math.Trunc(value) && math.Abs(value) <= math.MaxInt32 {
			return int(value)
		}
	}
	return value
}

func (data templateData) explain(err error) string {
	if data.typeName == "" {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), data.typeName, data.shownName)
}
