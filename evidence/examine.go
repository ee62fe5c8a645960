package evidence

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// examine reads a file that came from elsewhere before anything is written to
// it or asked of it. Triggers and views are programs: one that stands in the
// schema of a backup would run with every write of the sensor, and could
// unmake what was written. So the schema must be that of a store, to the last
// object, and the file must be whole.
func examine(path string) error {
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String()
	db, err := sql.Open("sqlite", dsn+"?_pragma=query_only(1)&_pragma=trusted_schema(0)&_pragma=cell_size_check(1)")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	return errors.Join(named(examined(db)), db.Close())
}

func examined(db *sql.DB) error {
	var app, version int
	if err := db.QueryRow("PRAGMA application_id").Scan(&app); err != nil {
		return err
	}
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	switch {
	case app != applicationID || version < 1:
		return ErrDamaged
	case version > len(migrations):
		return newer(version, len(migrations))
	}
	want, err := schemaOf(version)
	if err != nil {
		return err
	}
	have, err := objects(db)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if have[name] != want[name] {
			return fmt.Errorf("%w: %s is not of a store", ErrDamaged, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, there := have[name]; !there {
			return fmt.Errorf("%w: no %s", ErrDamaged, name)
		}
	}
	var found string
	if err := db.QueryRow("PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, found)
	}
	return nil
}

// schemaOf is the schema of a store of a version.
func schemaOf(version int) (map[string]string, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // each connection has a memory of its own
	if err := migrate(db, migrations[:version]); err != nil {
		return nil, err
	}
	return objects(db)
}

// maxObjects bounds how much of a schema is read: a store has fewer than 60.
const maxObjects = 1000

// objects are what a schema has, by kind and name, with how it was made;
// white space does not count.
func objects(db *sql.DB) (map[string]string, error) {
	rows, err := db.Query("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema LIMIT ?", maxObjects)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var kind, name, table, made string
		if err := rows.Scan(&kind, &name, &table, &made); err != nil {
			return nil, err
		}
		out[kind+" "+name] = table + ": " + strings.Join(strings.Fields(made), " ")
	}
	return out, rows.Err()
}
