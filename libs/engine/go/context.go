package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-jsonnet/ast"
)

// Kratos up to 1.0 named the keys of the context as on the left; today they are as on the right. Both work here: the old name is a
// hidden field beside the new one, seen by `ctx.Recipient` and `"Recipient" in ctx` and left out when `ctx` is printed.
var (
	contextAliases = map[string]string{
		"Recipient": "recipient", "TemplateType": "template_type", "Subject": "subject", "Body": "body",
		"TemplateData": "template_data",
	}
	dataAliases = map[string]string{
		"To": "to", "RecoveryCode": "recovery_code", "RecoveryURL": "recovery_url", "VerificationURL": "verification_url",
		"VerificationCode": "verification_code", "LoginCode": "login_code", "RegistrationCode": "registration_code",
		"Identity": "identity", "Traits": "traits", "RequestURL": "request_url", "TransientPayload": "transient_payload",
		"ExpiresInMinutes": "expires_in_minutes", "Subject": "subject", "Body": "body",
	}
	// A recovery code by SMS travels as `verification_code`; who writes templates looks for it under its own name.
	smsRecoveryAliases = map[string]string{"RecoveryCode": "verification_code", "recovery_code": "verification_code"}
)

// contextNode builds the top-level argument: the context as it is, its old names, and the extras, all but the first hidden.
func contextNode(contextJSON, extrasJSON string) (ast.Node, error) {
	value, err := decode(contextJSON)
	if err != nil {
		return nil, err
	}
	context, isObject := value.(map[string]any)
	if !isObject {
		return valueNode(value), nil
	}
	extras, err := decode(extrasJSON)
	if err != nil {
		return nil, err
	}
	node := objectNode(context)
	if data, isObject := context["template_data"].(map[string]any); isObject {
		fieldOf(node, "template_data").Body = dataNode(data, context["template_type"])
	}
	addAliases(node, contextAliases)
	for _, extra := range valueNode(extras).(*ast.DesugaredObject).Fields {
		addHidden(node, nameOf(extra), extra.Body)
	}
	return node, nil
}

func dataNode(data map[string]any, templateType any) *ast.DesugaredObject {
	node := objectNode(data)
	addAliases(node, dataAliases)
	if _, hasOwn := data["recovery_code"]; !hasOwn && templateType == "recovery_code_valid" {
		addAliases(node, smsRecoveryAliases)
	}
	return node
}

// addAliases adds each old name whose new one is there: a template asks with `in` what kind of mail it has.
func addAliases(node *ast.DesugaredObject, aliases map[string]string) {
	for _, alias := range slices.Sorted(maps.Keys(aliases)) {
		if field := fieldOf(node, aliases[alias]); field != nil {
			addHidden(node, alias, field.Body)
		}
	}
}

// addHidden never replaces a field: one that the context has is the truth.
func addHidden(node *ast.DesugaredObject, name string, body ast.Node) {
	if fieldOf(node, name) == nil {
		node.Fields = append(node.Fields, field(name, body, ast.ObjectFieldHidden))
	}
}

func fieldOf(node *ast.DesugaredObject, name string) *ast.DesugaredObjectField {
	for i := range node.Fields {
		if nameOf(node.Fields[i]) == name {
			return &node.Fields[i]
		}
	}
	return nil
}

func nameOf(field ast.DesugaredObjectField) string { return field.Name.(*ast.LiteralString).Value }

func decode(text string) (value any, err error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber() // Jsonnet reads the digits itself, as it would those of a source
	err = decoder.Decode(&value)
	return value, err
}

func valueNode(value any) ast.Node {
	switch value := value.(type) {
	case map[string]any:
		return objectNode(value)
	case []any:
		node := &ast.Array{}
		for _, element := range value {
			node.Elements = append(node.Elements, ast.CommaSeparatedExpr{Expr: valueNode(element)})
		}
		return node
	case string:
		return &ast.LiteralString{Value: value, Kind: ast.StringDouble}
	case json.Number:
		return &ast.LiteralNumber{OriginalString: value.String()}
	case bool:
		return &ast.LiteralBoolean{Value: value}
	default:
		return &ast.LiteralNull{}
	}
}

func objectNode(object map[string]any) *ast.DesugaredObject {
	node := &ast.DesugaredObject{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		node.Fields = append(node.Fields, field(name, valueNode(object[name]), ast.ObjectFieldInherit))
	}
	return node
}

func field(name string, body ast.Node, hide ast.ObjectFieldHide) ast.DesugaredObjectField {
	return ast.DesugaredObjectField{Hide: hide, Name: &ast.LiteralString{Value: name, Kind: ast.StringDouble}, Body: body}
}
