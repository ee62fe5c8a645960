#!/bin/sh
# Fetches the chart library of the pages into static/uplot. The files are kept
# in the repository: this is for whoever wants to see that they are what its
# authors published, or to take a newer version (change the three lines and
# the hashes in vendored.go).
set -eu
version=1.6.32
archive=4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d
files='package/dist/uPlot.iife.min.js package/dist/uPlot.min.css package/LICENSE'

here=$(dirname "$(readlink -f "$0")")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm pack --silent "uplot@$version" >/dev/null
echo "$archive  uplot-$version.tgz" | sha256sum -c -
mkdir -p "$here/static/uplot"
for f in $files; do
	tar -xzOf "uplot-$version.tgz" "$f" >"$here/static/uplot/$(basename "$f")"
done
