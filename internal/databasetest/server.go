package databasetest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// startServer makes a cluster in a folder of its own and starts it, without durability unless asked, reachable by a
// socket in that folder alone. initdb refuses root, so root lends it the postgres account.
func startServer(durable bool) (*server, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return nil, errors.New("no PostgreSQL server is installed and SOLLECITO_TEST_POSTGRES is not set")
	}
	binaries := filepath.Dir(found[len(found)-1])
	folder, err := os.MkdirTemp("", "sollecito-pg-")
	if err != nil {
		return nil, err
	}
	remove := func() { os.RemoveAll(folder) }
	as, err := account(folder)
	if err != nil {
		remove()
		return nil, err
	}
	data := filepath.Join(folder, "data")
	initdb := exec.Command(filepath.Join(binaries, "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
	initdb.Dir, initdb.SysProcAttr = folder, &syscall.SysProcAttr{Credential: as}
	said, err := initdb.CombinedOutput()
	if err != nil {
		remove()
		return nil, fmt.Errorf("initdb: %w: %s", err, said)
	}
	settings := []string{"-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "max_connections=400", "-c", "shared_buffers=64MB", "-c", "log_min_messages=fatal"}
	if !durable {
		settings = append(settings, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	run := exec.Command(filepath.Join(binaries, "postgres"), settings...)
	run.Dir = folder
	run.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGQUIT} // it must not outlive a test that is killed
	err = run.Start()
	if err != nil {
		remove()
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	address := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres", RawQuery: url.Values{"host": {folder}, "sslmode": {"disable"}}.Encode()}
	return connect(address.String(), func() {
		run.Process.Signal(syscall.SIGINT)
		ended := make(chan struct{})
		go func() {
			run.Wait()
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			run.Process.Kill()
		}
		remove()
	})
}

// account is who runs the server: nobody else than us, or the postgres account when we are root. The folder is made theirs.
func account(folder string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(who.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(folder, int(uid), int(gid))
}
