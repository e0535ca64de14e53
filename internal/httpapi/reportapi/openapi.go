package reportapi

import (
	"net/http"
	"strings"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/report"
)

// object is a JSON object of the OpenAPI document.
type object map[string]any

// openAPI serves the document. A test requires that what is in it is served, and that what is served is in it.
func (h handlers) openAPI(w http.ResponseWriter, r *edge.Request) error {
	if err := r.Params.Only(); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, document())
}

// document is this API in OpenAPI 3.1, made from the catalogue.
func document() map[string]any {
	paths := object{
		Base:                   object{"get": operation("index", "The list of reports", schema("Index"))},
		Base + "/definitions":  object{"get": operation("definitions", "How each figure is counted", schema("Definitions"))},
		Base + "/openapi.json": object{"get": operation("openapi", "This document", object{"type": "object"})},
		Base + "/live": object{"get": operation("live", "What is happening now: the newest statements in words, and how many come",
			schema("Live"), parameter("cursor", "The cursor of the answer before: what came since is told.", object{"type": "string"}))},
		Base + "/query":          object{"post": withBody(answering("query", "The answer to a question of one's own"), "application/json", schema("Query"))},
		Base + "/saved":          object{"get": operation("listSaved", "The saved queries", schema("SavedList"))},
		Base + "/saved/{name}":   savedPath(),
		Base + "/answers/{name}": object{"parameters": []any{nameParameter}, "get": answering("answerSaved", "The answer to a saved query")},
		Base + "/kpis":           object{"get": operation("listKPIs", "The imported KPIs", schema("KPIList"))},
		Base + "/kpis/{name}":    kpiPath(),
	}
	for _, r := range report.Catalogue() {
		var parameters []any
		for _, p := range r.ParamsOf() {
			parameters = append(parameters, parameter(p.Name, p.About, valuesOf(p)))
		}
		paths[Base+"/"+r.ID] = object{"get": answering(r.ID, r.Title+": "+r.About, parameters...)}
	}
	return object{
		"openapi": "3.1.0",
		"info": object{"title": "Cairn reports", "version": "1", "license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
			"description": "Reports over the statements of one store, which is that of the credential. Figures of few learners are withheld, and every figure names its definition."},
		"security":   []any{object{"basic": []any{}}},
		"paths":      paths,
		"components": object{"securitySchemes": object{"basic": object{"type": "http", "scheme": "basic"}}, "schemas": schemas()},
	}
}

func schema(name string) object { return object{"$ref": "#/components/schemas/" + name} }

func parameter(name, about string, of object) object {
	return object{"name": name, "in": "query", "description": about, "schema": of}
}

var nameParameter = object{"name": "name", "in": "path", "required": true, "schema": object{"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"}}

// valuesOf is the schema of a parameter.
func valuesOf(p report.Param) object {
	if p.Number {
		return object{"type": "integer", "minimum": p.Least, "maximum": p.Most}
	}
	if p.Values != nil {
		return object{"type": "string", "enum": p.Values}
	}
	return object{"type": "string", "minLength": 1}
}

// operation is one that answers JSON.
func operation(id, summary string, answer object, parameters ...object) object {
	o := object{"operationId": id, "summary": summary, "responses": responses(object{"application/json": object{"schema": answer}})}
	if len(parameters) > 0 {
		o["parameters"] = parameters
	}
	return o
}

// answering is an operation that answers with a table, as JSON or CSV.
func answering(id, summary string, parameters ...any) object {
	all := responses(object{"application/json": object{"schema": schema("Answer")}, "text/csv": object{"schema": object{"type": "string"}}})
	all["304"] = object{"description": "The figures are those that the client has"}
	return object{"operationId": id, "summary": summary, "responses": all, "parameters": append(parameters,
		parameter("limit", "Rows of a page of JSON; CSV has them all.", object{"type": "integer", "minimum": 1, "maximum": maxLimit, "default": defaultLimit}),
		parameter("cursor", "What the page before gave as more.", object{"type": "string", "minLength": 1}),
		parameter("format", "JSON or CSV; the header Accept says it too.", object{"type": "string", "enum": []string{"json", "csv"}}))}
}

// responses are those of every operation; its own comes with 200, or is none.
func responses(content object) object {
	failed := object{"description": "Why not, in a sentence", "content": object{"application/json": object{"schema": schema("Error")}}}
	return object{"200": object{"description": "The answer", "content": content}, "default": failed}
}

func done() object {
	all := responses(nil)
	delete(all, "200")
	all["204"] = object{"description": "Done"}
	return all
}

func withBody(o object, mediaType string, body object) object {
	o["requestBody"] = object{"required": true, "content": object{mediaType: object{"schema": body}}}
	return o
}

func savedPath() object {
	return object{
		"parameters": []any{nameParameter},
		"get":        operation("getSaved", "A saved query", schema("Saved")),
		"put":        withBody(object{"operationId": "putSaved", "summary": "Save a query under a name", "responses": done()}, "application/json", schema("Query")),
		"delete":     object{"operationId": "deleteSaved", "summary": "Forget a saved query", "responses": done()},
	}
}

func kpiPath() object {
	return object{
		"parameters": []any{nameParameter},
		"get":        operation("getKPI", "An imported KPI with its rows", schema("KPI")),
		"post": withBody(operation("importKPI", "Import a KPI in the place of what was under the name: a CSV with the columns learner or group, date, value", schema("KPIImport")),
			"text/csv", object{"type": "string"}),
		"delete": object{"operationId": "deleteKPI", "summary": "Forget a KPI", "responses": done()},
	}
}

// The parts of schemas.
var (
	text    = object{"type": "string"}
	whole   = object{"type": "integer"}
	decimal = object{"type": "number"}
	yesNo   = object{"type": "boolean"}
	moment  = object{"type": "string", "format": "date-time"}
	date    = object{"type": "string", "format": "date"}
)

func list(of object) object { return object{"type": "array", "items": of} }

// closed is an object with exactly these members; those whose name ends in ? may be absent.
func closed(members object) object {
	properties, required := object{}, []string{}
	for name, of := range members {
		if optional, ok := strings.CutSuffix(name, "?"); ok {
			properties[optional] = of
			continue
		}
		properties[name] = of
		required = append(required, name)
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func schemas() object {
	column := closed(object{"id": text, "title": text, "kind": object{"type": "string", "enum": kindNames}, "unit?": text, "measure?": text})
	row := object{"type": "object", "additionalProperties": object{"anyOf": []any{text, schema("Figure")}}}
	kpi := object{"name": text, "unit": object{"type": "string", "enum": []string{"learner", "group"}}, "rowCount": whole, "units": whole, "from": text, "to": text, "imported": moment, "version": whole}
	with := func(more object) object {
		all := object{}
		for _, o := range []object{kpi, more} {
			for name, of := range o {
				all[name] = of
			}
		}
		return closed(all)
	}
	return object{
		"Answer": closed(object{
			"report": text, "title": text, "range": closed(object{"from?": date, "to?": date, "timeZone": text}), "filters": object{"type": "object", "additionalProperties": text},
			"smallNumbers": closed(object{"k": whole, "names": yesNo, "testData?": yesNo}), "columns": list(column), "rows": list(row), "total?": row, "notes": list(text),
			"definitions": list(schema("Definition")), "read": closed(object{"road": text, "items": whole, "learners": whole}),
			"asOf": moment, "through?": moment, "rowCount": whole, "more?": text,
		}),
		"Figure": closed(object{
			"value?": decimal, "count?": whole, "of?": whole, "n?": whole, "low?": decimal, "high?": decimal, "suppressed?": text, "band?": text,
			"missing?": object{"type": "string", "enum": []string{"not tracked", "not enough data"}},
		}),
		"Definition":  closed(object{"id": text, "title": text, "text": text}),
		"Definitions": closed(object{"definitions": list(schema("Definition"))}),
		"Index": closed(object{"openapi": text, "reports": list(closed(object{"id": text, "title": text, "about": text, "row": text, "chart": text,
			"roads": list(text), "columns": list(column), "params": list(text), "personal": yesNo, "href": text}))}),
		"Query": closed(object{
			"title?": text, "measures?": list(object{"type": "string", "enum": report.CustomMeasures()}), "by?": list(object{"type": "string", "enum": report.Dimensions}),
			"filters?": closed(object{"content?": text, "kind?": object{"type": "string", "enum": report.KindNames}, "learner?": text, "group?": text, "registration?": text, "platform?": text, "language?": text}),
			"range?":   object{"type": "string", "enum": report.Ranges}, "from?": date, "to?": date, "order?": text, "top?": whole,
			"funnel?": closed(object{"windowDays?": whole, "steps": list(closed(object{"did?": object{"type": "string", "enum": report.ClassNames()}, "verb?": text, "content?": text, "progress?": decimal}))}),
		}),
		"Saved":     closed(object{"name": text, "query": schema("Query"), "savedAt": moment}),
		"SavedList": closed(object{"saved": list(schema("Saved"))}),
		"KPI":       with(object{"rows": list(closed(object{"unit": text, "date": date, "value": decimal}))}),
		"KPIList":   closed(object{"kpis": list(with(nil))}),
		"KPIImport": with(object{"unmatched": list(closed(object{"line": whole, "unit": text, "reason": text})), "unmatchedCount": whole}),
		"Live": closed(object{
			"sentences": list(closed(object{"id?": text, "stored": moment, "text": text, "actor?": text, "verb": text, "verbId": text, "object": text})),
			"skipped?":  yesNo, "learners": closed(object{"value?": whole, "suppressed?": text}),
			"perMinute": list(closed(object{"at": moment, "value?": whole, "suppressed?": text})), "delay": object{"type": []string{"number", "null"}}, "delayOf": whole,
			"asOf": moment, "cursor": text,
		}),
		"Error": closed(object{"error": closed(object{"status": whole, "message": text, "statement?": whole, "path?": text, "rule?": text, "section?": text, "requestId": text})}),
	}
}
