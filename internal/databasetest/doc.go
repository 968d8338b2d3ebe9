// Package databasetest gives tests a database of their own, on both engines: Main runs a package's tests on SQLite
// and then once more, the same ones, on PostgreSQL. URL names an empty database for one test, and Migrated one of
// today's shape already, since the steps there cost more than many a test.
//
// PostgreSQL is the server that SOLLECITO_TEST_POSTGRES names (an address whose user may create databases), or one
// that is started for this run from the machine's own binaries and ended with it. Without either the second run is
// left out, and said so; where SOLLECITO_TEST_REQUIRE asks for postgres that is a failure. SOLLECITO_TEST_ENGINES=sqlite
// asks for the first run alone, as the race detector does, whose second run would look at the same code once more.
package databasetest
