package wire

import (
	"errors"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

const (
	redis6    = " (Redis 6.2)"
	redis70   = " (Redis 7.0)"
	redis72   = " (Redis 7.2 and later, Valkey 7.2 to 8)"
	valkey9   = " (Valkey 9)"
	miniature = " (miniredis)"
)

// wordings are refusals as servers send them, without the dash.
var wordings = map[kind]map[string][]string{
	passing: {
		"": {
			"LOADING Redis is loading the dataset in memory",
			"LOADING Valkey is loading the dataset in memory",
			"ERR LOADING kvrocks is restoring the db from backup",
			"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
			"BUSY Valkey is busy running a module command.",
			"TRYAGAIN Multiple keys request during rehashing of slot",
			"CLUSTERDOWN The cluster is down",
			"CLUSTERDOWN The cluster is down and only accepts read commands",
			"CLUSTERDOWN Hash slot not served",
			"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
			"ERR max number of clients reached",
			"ERR max number of clients + cluster connections reached",
			"max number of clients reached",
		},
		redis70: {
			"ERR Script attempted to execute a command while the cluster is down script: 7f04, on @user_script:2.",
			"ERR Script attempted to execute a write command while the cluster is down and readonly script: 7f04, on @user_script:2.",
		},
		redis72: {
			"ERR Script attempted to access a slot not served script: 7f04, on @user_script:2.",
			"ERR Unable to execute command 'hset' in script because undeclared keys were accessed during rehashing of the slot",
			"ERR Can not execute a command 'hget' while the cluster is down script: 7f04, on @user_script:2.",
			"ERR Can not execute a write command 'hset' while the cluster is down and readonly",
		},
	},
	forgotten: {
		"":      {"NOSCRIPT No matching script. Please use EVAL."},
		redis72: {"NOSCRIPT No matching script."},
	},
	moved: {
		"":      {"MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381"},
		redis70: {"ERR Script attempted to access a non local key in a cluster node script: 7f04, on @user_script:2."},
	},
	forbidden: {
		redis6: {
			"NOPERM this user has no permissions to run the 'hset' command or its subcommand",
			"ERR Error running script (call to f_7f04): @user_script:2: The user executing the script can't run this command or subcommand",
			"ERR Error running script (call to f_7f04): @user_script:2: The user executing the script can't access at least one of the keys mentioned in the command arguments",
			"ERR Error running script (call to f_7f04): @user_script:2: The user executing the script is lacking the permissions for the command",
		},
		redis70: {
			"NOPERM this user has no permissions to run the 'hset' command",
			"NOPERM this user has no permissions to access one of the keys used as arguments",
			"ERR The user executing the script can't run this command or subcommand script: 7f04, on @user_script:2.",
			"ERR The user executing the script can't access at least one of the keys mentioned in the command arguments script: 7f04, on @user_script:2.",
			"ERR The user executing the script can't run this command or subcommand",
		},
		redis72: {
			"NOPERM User flights has no permissions to run the 'hset' command",
			"NOPERM No permissions to access a key",
			"NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: no permission to touch the specified keys",
			"ERR ACL failure in script: User flights has no permissions to run the 'hset' command script: 7f04, on @user_script:2.",
			"ERR ACL failure in script: No permissions to access a key script: 7f04, on @user_script:1.",
			"ERR ACL failure in script: User flights has no permissions to run the 'hset' command",
		},
		valkey9: {
			"ERR ACL failure in script: User flights has no permissions to run the 'hset' command script: on @user_script:2.",
			"NOPERM User flights has no permissions to access database 1",
		},
	},
	foreignType: {
		"":        {"WRONGTYPE Operation against a key holding the wrong kind of value"},
		redis6:    {"ERR Error running script (call to f_7f04): @user_script:2: WRONGTYPE Operation against a key holding the wrong kind of value"},
		redis70:   {"WRONGTYPE Operation against a key holding the wrong kind of value script: 7f04, on @user_script:2."},
		valkey9:   {"WRONGTYPE Operation against a key holding the wrong kind of value script: on @user_script:2."},
		miniature: {"<string>:17: WRONGTYPE Operation against a key holding the wrong kind of value"},
	},
	notCompiled: {
		redis6:    {"ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'"},
		miniature: {"ERR Error compiling script (new function): user_script line:1(column:1) near '#':   syntax error"},
	},
	told: {
		"": {
			"READONLY You can't write against a read only replica.",
			"READONLY Can not run script with write flag on readonly replica",
			"OOM command not allowed when used memory > 'maxmemory'.",
			"OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
			"MISCONF Errors writing to the AOF file: No space left on device",
			"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
			"MISCONF Valkey is configured to save RDB snapshots, but it's currently unable to persist to disk.",
			"NOREPLICAS Not enough good replicas to write.",
			"NOAUTH Authentication required.",
			"WRONGPASS invalid username-password pair or user is disabled.",
			"DENIED Redis is running in protected mode because protected mode is enabled",
			"DENIED Running in protected mode because protected mode is enabled",
			"BUSYKEY Target key name already exists.",
			"BUSYGROUP Consumer Group name already exists",
			"UNKILLABLE Sorry the script already executed write commands against the dataset.",
			"EXECABORT Transaction discarded because of previous errors.",
			"ERR unknown command 'evalsha', with args beginning with: ",
			"ERR Unknown Redis command called from script script: 7f04, on @user_script:1.",
			"ERR Unknown command called from script script: on @user_script:1.",
			"ERR This Valkey command is not allowed from script script: on @user_script:1.",
			"ERR Unexpected engine in script shebang: lua",
			"ERR Could not find scripting engine 'lua'",
			"",
		},
	},
}

func TestP15_RefusalsAreRecognisedInEveryServersWords(t *testing.T) {
	t.Parallel()
	for want, servers := range wordings {
		for server, texts := range servers {
			for _, text := range texts {
				err := fmt.Errorf("table t: %w", serverError(text))
				if got := kindOf(err); got != want {
					t.Errorf("%q%s is of kind %d, want %d", text, server, got, want)
				}
			}
		}
	}
}

// The names of users, and of commands, stand in refusals: they must not be taken for the server's words.
func TestP15_NamesInARefusalAreNoWords(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"WRONGTYPE", "compiling", "LOADING", "NOSCRIPT", "MOVED", "BUSY", "max"} {
		for _, form := range []string{
			"NOPERM User %s has no permissions to run the 'hset' command",
			"ERR ACL failure in script: User %s has no permissions to run the 'hset' command script: on @user_script:2.",
		} {
			if err := serverError(fmt.Sprintf(form, name)); !IsForbidden(err) {
				t.Errorf("%v: is of kind %d", err, kindOf(err))
			}
		}
	}
}

func TestP15_OnlyAServersOwnWordsAreARefusal(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, redis.Nil, errors.New("LOADING"), errors.New("NOPERM No permissions to access a key"), engine.ErrLost} {
		if got := kindOf(err); got != told {
			t.Errorf("%v is of kind %d", err, got)
		}
	}
}

func TestP15_PredicatesFollowTheKind(t *testing.T) {
	t.Parallel()
	for k, servers := range wordings {
		for _, texts := range servers {
			for _, text := range texts {
				err := serverError(text)
				for what, got := range map[string]struct{ is, want bool }{
					"passes":         {Passes(err), k == passing || k == forgotten || k == moved},
					"sent elsewhere": {MustBeSentElsewhere(err), k == forgotten || k == moved},
					"forbidden":      {IsForbidden(err), k == forbidden},
					"lost":           {errors.Is(LostToForeignType(err), engine.ErrLost), k == foreignType},
				} {
					if got.is != got.want {
						t.Errorf("%q: %s is %v", text, what, got.is)
					}
				}
			}
		}
	}
}
