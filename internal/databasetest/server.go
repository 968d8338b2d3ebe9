package databasetest

import (
	"database/sql"
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

// Server is a PostgreSQL started from the machine's own binaries, in a folder of its own, reachable by a socket in that folder
// alone.
type Server struct {
	folder string
	start  func() *exec.Cmd
	run    *exec.Cmd     // nil while it is down
	ended  chan struct{} // closed when run has
}

// NewServer makes a cluster and starts its server, without durability unless asked. initdb refuses root, so root lends it the
// postgres account.
func NewServer(durable bool) (*Server, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return nil, errors.New("no PostgreSQL server is installed and SOLLECITO_TEST_POSTGRES is not set")
	}
	binaries := filepath.Dir(found[len(found)-1])
	folder, err := os.MkdirTemp("", "sollecito-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{folder: folder}
	as, err := account(folder)
	if err != nil {
		s.Stop()
		return nil, err
	}
	data := filepath.Join(folder, "data")
	initdb := exec.Command(filepath.Join(binaries, "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
	initdb.Dir, initdb.SysProcAttr = folder, &syscall.SysProcAttr{Credential: as}
	said, err := initdb.CombinedOutput()
	if err != nil {
		s.Stop()
		return nil, fmt.Errorf("initdb: %w: %s", err, said)
	}
	settings := []string{"-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "max_connections=400", "-c", "shared_buffers=64MB", "-c", "log_min_messages=fatal"}
	if !durable {
		settings = append(settings, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	s.start = func() *exec.Cmd {
		run := exec.Command(filepath.Join(binaries, "postgres"), settings...)
		run.Dir = folder
		run.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGQUIT} // it must not outlive a test that is killed
		return run
	}
	err = s.Start()
	if err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// Address is the server's, with the database that every cluster begins with.
func (s *Server) Address() string {
	address := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres", RawQuery: url.Values{"host": {s.folder}, "sslmode": {"disable"}}.Encode()}
	return address.String()
}

// Start starts the server and answers when it takes connections. One whose forerunner was killed may have to wait for what is
// left of that.
func (s *Server) Start() error {
	asked, err := sql.Open("pgx", s.Address())
	if err != nil {
		return err
	}
	defer asked.Close()
	for deadline := time.Now().Add(30 * time.Second); ; {
		if s.run == nil {
			run := s.start()
			err = run.Start()
			if err != nil {
				return fmt.Errorf("start PostgreSQL: %w", err)
			}
			s.run, s.ended = run, make(chan struct{})
			go func(ended chan struct{}) {
				_ = run.Wait() // whatever ended it
				close(ended)
			}(s.ended)
		}
		err = asked.Ping()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL does not get ready: %w", err)
		}
		select {
		case <-s.ended:
			s.run = nil
		case <-time.After(20 * time.Millisecond): // a server that is starting tells nobody when it is ready
		}
	}
}

// Signal ends the server by a signal, and answers when its first process has gone: SIGKILL takes the others along as soon as
// they notice, SIGINT ends all connections and stops it in order.
func (s *Server) Signal(signal syscall.Signal) {
	_ = s.run.Process.Signal(signal) // it has ended by itself otherwise
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		_ = s.run.Process.Kill()
		<-s.ended
	}
	s.run = nil
}

// Stop ends the server and removes all it wrote.
func (s *Server) Stop() {
	if s.run != nil {
		s.Signal(syscall.SIGINT)
	}
	os.RemoveAll(s.folder)
}

// startServer starts a server for the tests of a package.
func startServer(durable bool) (*server, error) {
	s, err := NewServer(durable)
	if err != nil {
		return nil, err
	}
	return connect(s.Address(), s.Stop)
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
