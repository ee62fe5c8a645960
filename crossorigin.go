package main

import "net/http"

// crossOrigin reports that a browser sent r on behalf of a page of another
// origin: by Sec-Fetch-Site, or by Origin where the browser is too old for
// that. What is no browser sends neither, and passes.
func crossOrigin(r *http.Request) bool {
	return http.NewCrossOriginProtection().Check(r) != nil
}
