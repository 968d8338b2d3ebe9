package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// account speaks to the stand-in as a merchant's own program would: forms over HTTP with a secret key.
type account struct {
	base, key string
	http      *http.Client
}

func newAccount(base, key string) *account {
	return &account{base: base, key: key, http: &http.Client{Timeout: 20 * time.Second}}
}

// form is the parameters of a call, bracketed as Stripe names them.
type form map[string]string

// made is the little that the demo reads of what it made.
type made struct {
	ID      string `json:"id"`
	Deleted bool   `json:"deleted"`
	Data    []struct {
		ID  string `json:"id"`
		URL string `json:"url"`
	} `json:"data"`
	Error struct {
		Message string `json:"message"`
	} `json:"error"`
}

// refusal is an answer of the stand-in that is not a success.
type refusal struct {
	call    string
	status  int
	message string
}

func (r *refusal) Error() string { return fmt.Sprintf("%s: %d %s", r.call, r.status, r.message) }

// call makes one call; a *refusal is the stand-in's no.
func (a *account) call(ctx context.Context, method, path string, f form) (made, error) {
	values := url.Values{}
	for name, value := range f {
		values.Set(name, value)
	}
	address, body := a.base+path, ""
	if method == http.MethodGet {
		address += "?" + values.Encode()
	} else {
		body = values.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return made{}, err
	}
	req.Header.Set("Authorization", "Bearer "+a.key)
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return made{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return made{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	var answer made
	err = json.Unmarshal(raw, &answer)
	if err != nil {
		return made{}, fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	if resp.StatusCode >= 400 {
		return made{}, &refusal{call: method + " " + path, status: resp.StatusCode, message: answer.Error.Message}
	}
	return answer, nil
}

// make is call for everything that makes or changes an object; it answers the object's id.
func (a *account) make(ctx context.Context, path string, f form) (string, error) {
	answer, err := a.call(ctx, http.MethodPost, path, f)
	return answer.ID, err
}

// ownStripe is how many requests a second the portal may make here: its Stripe is in the same process, and nobody
// else's traffic shares it.
const ownStripe = 2000
