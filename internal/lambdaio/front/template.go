package front

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Template is what the front takes from template.yaml.
type Template struct {
	Functions []Function // by logical id
	APIs      []API      // by logical id
}

// API is one AWS::Serverless::HttpApi: an origin of its own.
type API struct {
	Name      string // logical id
	AccessLog string // format of the access log; "" for none
}

// Route is one route of an API.
type Route struct {
	API string // logical id
	Key string // "ANY /xapi/about", or "$default"
}

// Function is one AWS::Serverless::Function.
type Function struct {
	Name        string // logical id
	Routes      []Route
	Mappings    []Mapping // of streams
	Memory      int       // MB
	Timeout     time.Duration
	Environment map[string]string
	LogFormat   string // JSON or Text
	LogLevel    string // of the function's own records
}

// templateFile is the part of template.yaml that is read. Values stay nodes until their references are resolved.
type templateFile struct {
	Parameters map[string]struct {
		Default yaml.Node `yaml:"Default"`
	} `yaml:"Parameters"`
	Globals struct {
		Function functionProperties `yaml:"Function"`
	} `yaml:"Globals"`
	Resources map[string]struct {
		Type       string    `yaml:"Type"`
		Properties yaml.Node `yaml:"Properties"`
	} `yaml:"Resources"`
}

type functionProperties struct {
	MemorySize  yaml.Node `yaml:"MemorySize"`
	Timeout     yaml.Node `yaml:"Timeout"`
	Environment struct {
		Variables map[string]yaml.Node `yaml:"Variables"`
	} `yaml:"Environment"`
	LoggingConfig struct {
		LogFormat           yaml.Node `yaml:"LogFormat"`
		ApplicationLogLevel yaml.Node `yaml:"ApplicationLogLevel"`
	} `yaml:"LoggingConfig"`
	Events map[string]struct {
		Type       string    `yaml:"Type"`
		Properties yaml.Node `yaml:"Properties"`
	} `yaml:"Events"`
}

type httpAPIEvent struct {
	APIID                yaml.Node `yaml:"ApiId"`
	Path                 string    `yaml:"Path"`
	Method               string    `yaml:"Method"`
	PayloadFormatVersion string    `yaml:"PayloadFormatVersion"`
}

type httpAPI struct {
	StageName         string `yaml:"StageName"`
	AccessLogSettings struct {
		Format string `yaml:"Format"`
	} `yaml:"AccessLogSettings"`
}

// What Lambda gives to a function that asks for nothing. Source: AWS SAM, AWS::Serverless::Function.
const (
	defaultMemory  = 128
	defaultTimeout = 3
)

// ReadTemplate reads template.yaml. values answers references that the file itself cannot: pseudo parameters
// ("AWS::StackName"), resources ("Bucket"), attributes ("Bucket.Arn"), and parameters that shall not have their default.
func ReadTemplate(text []byte, values map[string]string) (*Template, error) {
	var file templateFile
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	r := resolver{values: make(map[string]string), tables: make(map[string]string)}
	for name, parameter := range file.Parameters {
		if parameter.Default.Kind == yaml.ScalarNode {
			r.values[name] = parameter.Default.Value
		}
	}
	maps.Copy(r.values, values)

	if err := r.findTables(file); err != nil {
		return nil, err
	}

	var t Template
	for _, id := range slices.Sorted(maps.Keys(file.Resources)) {
		resource := file.Resources[id]
		var err error
		switch resource.Type {
		case "AWS::Serverless::Function":
			var function Function
			function, err = r.function(id, file.Globals.Function, resource.Properties)
			t.Functions = append(t.Functions, function)
		case "AWS::Serverless::HttpApi":
			var api API
			api, err = readAPI(id, resource.Properties)
			t.APIs = append(t.APIs, api)
		}
		if err != nil {
			return nil, fmt.Errorf("read template: %s: %w", id, err)
		}
	}
	if len(t.Functions) == 0 {
		return nil, errors.New("read template: it has no function")
	}
	return &t, nil
}

func readAPI(id string, node yaml.Node) (API, error) {
	var api httpAPI
	if err := node.Decode(&api); err != nil {
		return API{}, err
	}
	if api.StageName != "$default" {
		return API{}, fmt.Errorf("the stage %q would stand before every path", api.StageName)
	}
	return API{Name: id, AccessLog: api.AccessLogSettings.Format}, nil
}

// resolver answers CloudFormation's references.
type resolver struct {
	values map[string]string
	tables map[string]string // names of the tables, by logical id
}

func (r resolver) function(id string, globals functionProperties, node yaml.Node) (Function, error) {
	p := globals // what the function says replaces it; variables are merged below
	p.Environment.Variables = nil
	if err := node.Decode(&p); err != nil {
		return Function{}, err
	}
	variables := maps.Clone(globals.Environment.Variables)
	if variables == nil {
		variables = make(map[string]yaml.Node)
	}
	maps.Copy(variables, p.Environment.Variables)

	f := Function{Name: id, Environment: make(map[string]string)}
	var problems []error
	note := func(what string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", what, err))
		}
	}
	var err error
	f.Memory, err = r.number(p.MemorySize, defaultMemory)
	note("MemorySize", err)
	seconds, err := r.number(p.Timeout, defaultTimeout)
	note("Timeout", err)
	f.Timeout = time.Duration(seconds) * time.Second
	f.LogFormat, err = r.text(p.LoggingConfig.LogFormat)
	note("LogFormat", err)
	f.LogLevel, err = r.text(p.LoggingConfig.ApplicationLogLevel)
	note("ApplicationLogLevel", err)
	for name, value := range variables {
		f.Environment[name], err = r.text(value)
		note("variable "+name, err)
	}
	for name, event := range p.Events {
		switch event.Type {
		case "HttpApi":
			route, err := readRoute(event.Properties)
			note("event "+name, err)
			f.Routes = append(f.Routes, route)
		case "DynamoDB":
			mapping, err := r.mapping(id+"."+name, event.Properties)
			note("event "+name, err)
			f.Mappings = append(f.Mappings, mapping)
		}
	}
	slices.SortFunc(f.Routes, func(a, b Route) int { return cmp.Or(cmp.Compare(a.API, b.API), cmp.Compare(a.Key, b.Key)) })
	slices.SortFunc(f.Mappings, func(a, b Mapping) int { return cmp.Compare(a.Name, b.Name) })
	return f, errors.Join(problems...)
}

func readRoute(node yaml.Node) (Route, error) {
	var e httpAPIEvent
	if err := node.Decode(&e); err != nil {
		return Route{}, err
	}
	if e.APIID.Tag != "!Ref" {
		return Route{}, errors.New("want ApiId: !Ref with an AWS::Serverless::HttpApi: without, SAM makes an API that the template does not show")
	}
	key, err := e.routeKey()
	return Route{API: e.APIID.Value, Key: key}, err
}

// routeKey is how API Gateway names a route. An event without path and method is the default route.
// Source: AWS SAM, HttpApi event source.
func (e httpAPIEvent) routeKey() (string, error) {
	switch {
	case e.PayloadFormatVersion != "2.0":
		return "", fmt.Errorf("the payload format is %q, want 2.0", e.PayloadFormatVersion)
	case e.Path == "" && e.Method == "" || e.Path == "$default":
		return "$default", nil
	case e.Path == "" || e.Method == "" || strings.Contains(e.Path, "{"):
		return "", fmt.Errorf("route %q %q: want a path without variables and a method, or neither", e.Method, e.Path)
	}
	return strings.ToUpper(e.Method) + " " + e.Path, nil
}

func (r resolver) number(node yaml.Node, absent int) (int, error) {
	text, err := r.text(node)
	if err != nil || text == "" {
		return absent, err
	}
	return strconv.Atoi(text)
}

var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// text resolves the short forms !Ref, !Sub and !GetAtt; an absent value is "".
func (r resolver) text(node yaml.Node) (string, error) {
	if node.IsZero() {
		return "", nil
	}
	if node.Kind != yaml.ScalarNode {
		return "", fmt.Errorf("line %d: want text, !Ref, !Sub or !GetAtt", node.Line)
	}
	switch node.Tag {
	case "!Ref", "!GetAtt":
		return r.value(node.Value)
	case "!Sub":
		var problem error
		text := placeholder.ReplaceAllStringFunc(node.Value, func(found string) string {
			value, err := r.value(found[2 : len(found)-1])
			problem = errors.Join(problem, err)
			return value
		})
		return text, problem
	case "!!str", "!!int", "!!bool":
		return node.Value, nil
	}
	return "", fmt.Errorf("line %d: the front does not know %s", node.Line, node.Tag)
}

func (r resolver) value(name string) (string, error) {
	value, ok := r.values[name]
	if !ok {
		return "", fmt.Errorf("nothing is known of %s", name)
	}
	return value, nil
}

// variables are what Lambda and the template set for a function.
// Source: Lambda developer guide, "Defined runtime environment variables".
func (f Function) variables() map[string]string {
	variables := map[string]string{
		"_HANDLER":                        "bootstrap",
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.Memory),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"LANG":                            "en_US.UTF-8",
		"TZ":                              ":UTC",
	}
	if f.LogFormat != "" {
		variables["AWS_LAMBDA_LOG_FORMAT"] = f.LogFormat
	}
	if f.LogLevel != "" {
		variables["AWS_LAMBDA_LOG_LEVEL"] = f.LogLevel
	}
	maps.Copy(variables, f.Environment)
	return variables
}
