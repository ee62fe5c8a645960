package alerts

import "github.com/goccy/go-yaml"

func decodeYAML(s string, v any) error { return yaml.UnmarshalWithOptions([]byte(s), v, yaml.Strict()) }
