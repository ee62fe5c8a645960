package web

import (
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"net/http"
)

// statics serves style, scripts and drawings. They are no evidence: a browser
// may keep them, and asks each time whether they are still the same.
func statics() (http.Handler, error) {
	dir, err := fs.Sub(files, "static")
	if err != nil {
		return nil, err
	}
	tags := map[string]string{} // by path
	err = fs.WalkDir(dir, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := fs.ReadFile(dir, path)
		sum := sha256.Sum256(b)
		tags[path] = `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
		return err
	})
	serve := http.FileServerFS(dir)
	return http.StripPrefix("/static/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tag, ok := tags[r.URL.Path]; ok {
			w.Header().Set("Etag", tag)
			w.Header().Set("Cache-Control", "no-cache")
		}
		serve.ServeHTTP(w, r)
	})), err
}
