package main

// bug is a mistake that somebody could make: patches to plant it, and the check that must notice.
type bug struct {
	name    string
	patches []patch
	check   check
}

// patch replaces old, which stands exactly once in the file, by new.
type patch struct{ file, old, new string }

// check is tests of one package, and what to tell them.
type check struct{ pkg, run, args string }

var (
	model  = check{"./stress", "TestG3_EveryVerb", "-stress.duration=90s -rapid.shrinktime=1s -rapid.nofailfile"}
	linear = check{"./stress", "TestG1_Histories", "-stress.duration=80s"}
	leaks  = check{"./stress", "TestG13_NothingLeaks", "-stress.duration=60s"}
	storm  = check{"./stress", "TestG9_NothingIsLost", "-stress.duration=76s"}
	owners = check{"./stress", "TestG8_TakeOvers", "-stress.duration=100s"}
	late   = check{"./stress", "TestG9_ALate", ""}
	actor  = check{"./engine", "TestKinds|TestBatches|TestD10", ""}
	writes = check{"./table", "TestW3", ""}
	beside = check{"./table", "TestW1", ""}
	owned  = check{"./table", "TestW2", ""}
	heard  = check{"./stress", "TestF4_Followers", "-stress.duration=180s"}
	read   = check{"./stress", "TestR2_Readers", "-stress.duration=180s"}
	copied = check{"./table", "TestF4|TestF3_AMerge|TestF5_Who|TestF7_AFollowers|TestR3_F7", ""}
	chain  = check{"./table/internal/feed", "TestF4", ""}
	lines  = check{"./table", "TestR2|TestR4|TestR5", ""}
	golden = check{"./engine", "TestMachineScripts", ""}
	redone = check{"./table/internal/scan", "TestF4", ""}
	whole  = check{"./table", "TestD12", ""}
	quick  = check{"./table/internal/wire/scripts", "TestTheQuickWay", ""}
	folds  = check{"./table", "TestD13|TestD14", ""}
	leases = check{"./table", "TestL1", ""}
	leads  = check{"./lead", "TestL1", ""}
	schema = check{"./table", "TestS1|TestS2", ""}
	tables = check{"./table", "TestG5|TestG11_TheFirstCall|TestD7|TestD10|TestU21", ""}
)

var bugs = []bug{
	{"building index counted", []patch{{"table/internal/wire/scripts/prelude/base.lua",
		"if (complete(t, j) and redis.call('ZCARD', merged(j)) ~= count) or", "if redis.call('ZCARD', merged(j)) ~= count or"}}, schema},
	{"absent decoded as empty", []patch{{"table/decode.go",
		"\tif absent {\n", "\tif absent && a.decode != nil {\n\t\treturn after, a.decode(nil, &d.record)\n\t}\n\tif absent {\n"}}, schema},
	{"dropped without being told", []patch{{"table/internal/layout/evolve.go",
		"c.Dropped, c.Sparse = how == Drop, c.Sparse || how == Keep", "c.Dropped = true"}}, schema},
	{"indexes changed under a fold", []patch{{"table/internal/wire/scripts/open.lua",
		"  if moves and t.state ~= 'clear' then return refuse('STATE') end\n", ""}}, schema},
	{"index read while it is built", []patch{{"table/internal/wire/scripts/prelude/read.lua",
		"  if index and index > 0 and not complete(t, index) then return nil, nil, answer('BUILDING', t) end\n", ""}}, schema},
	{"no epoch check", []patch{
		{"table/internal/wire/scripts/prelude/write.lua", "if t.epoch ~= EPOCH then return nil, answer('FENCED', t) end", ""},
		{"table/internal/store/transaction.go", " && found.Epoch == t.epoch && w.feedFits() {", " {"}}, owners},
	{"writer's keys not watched", []patch{
		{"table/internal/wire/command.go", `[]any{"watch", &k.Truth}`, `[]any{"watch", &k.Rows}`},
		{"table/internal/wire/command.go", "c.Watch = append(c.Watch, &key)", "c.Watch = append(c.Watch, &k.Rows)"}}, owners},
	{"number not checked", []patch{{"table/internal/wire/scripts/prelude/write.lua",
		"  if now == tonumber(SEQ) then return nil, answer('OK', t) end\n  if now > tonumber(SEQ) then return nil, answer('VOID', t) end\n",
		""}}, late},
	{"void number not burned", []patch{{"table/internal/wire/scripts/settle.lua",
		"  writeTruth(t)\n", ""}}, late},
	{"retry that runs twice", []patch{{"engine/machine_outcome.go",
		"\tcase m.current.phase == applying:\n\t\tm.settle()", "\tcase m.current.phase == applying:\n\t\tm.view.Seq++\n\t\tm.pause(paused)"}}, storm},
	{"staged rows shown before the merge", []patch{{"table/internal/store/commands.go",
		"queueRows(ctx, p, e.Rows, &k.Staged, k.Shadow)", "queueRows(ctx, p, e.Rows, &k.Rows, k.Merged)"}}, model},
	{"merge that is seen after its fold only", []patch{{"table/internal/wire/scripts/prelude/read.lua",
		"return t, merging and ahead == 0 and stagedView(t) or mergedView(t)", "return t, mergedView(t)"},
		{"table/internal/wire/scripts/prelude/read.lua", "local staged = t.state == 'merging' or (scope == 'staged' and t.state == 'active')",
			"local staged = scope == 'staged' and t.state ~= 'clear'"}}, model},
	{"fold forgets an index", []patch{{"table/internal/wire/scripts/fold.lua",
		"for j = 1, INDEXES do redis.call('ZADD', merged(j), unpack(alternate(scores[j], keys))) end",
		"for j = 1, 1 do redis.call('ZADD', merged(j), unpack(alternate(scores[j], keys))) end"}}, model},
	{"fold not guarded", []patch{{"table/internal/wire/scripts/fold.lua",
		"if t.gen ~= ARGV[2] or t.state ~= 'merging' then return answer('STALE', t) end", ""}}, tables},
	{"fold keeps what a tombstone hides", []patch{{"table/internal/wire/scripts/fold.lua",
		"    redis.call('HDEL', ROWS, unpack(tombs, i, to))\n", ""}}, model},
	{"rank kept over a crash", []patch{{"table/internal/wire/scripts/prelude/head.lua",
		"local stand, noted = t.epoch .. ' ' .. t.gen", "local stand, noted = t.gen"}}, folds},
	{"rank kept over a repair", []patch{{"table/internal/wire/scripts/prelude/head.lua",
		" .. ' ' .. t.rver .. ' ', redis", " .. ' ', redis"}}, folds},
	{"what is staged dropped before all is copied", []patch{{"table/internal/wire/scripts/fold.lua",
		"if uncopied() or unburied() then\n", "if unburied() then\n"}}, folds},
	{"a deletion's place not kept with its effect", []patch{{"table/internal/wire/scripts/prelude/place.lua",
		"return done(t, whole(n) .. ' ' .. #BODY .. ' ' .. place) end",
		"\n  local a = done(t, whole(n) .. ' 0 0  ')\n  a[3] = whole(n) .. ' ' .. #BODY .. ' ' .. place\n  return a\nend"}}, folds},
	{"discard by place finds a moved row at its old score", []patch{{"table/internal/wire/scripts/prelude/place.lua",
		"if t.staged == '0' then return members end", "if true then return members end"}}, folds},
	{"discard by place does not go on where it was", []patch{{"table/internal/wire/scripts/sweepstaged.lua",
		"return swept(t, #keys, place)", "return swept(t, #keys, '0  ')"}}, folds},
	{"discard by place goes on behind what it has not looked at", []patch{{"table/internal/wire/scripts/prelude/place.lua",
		"    cut(below, above)\n    cut(above, below)\n", ""}}, folds},
	{"discard by place leaves scores behind", []patch{{"table/internal/wire/scripts/prelude/write.lua",
		"  remove(shadow, staged)\n", ""}}, folds},
	{"discard by place takes what was written through", []patch{{"table/internal/wire/scripts/prelude/place.lua",
		"if not over[key] then", "if key then"}}, beside},
	{"discard by pages begins anew", []patch{{"table/scratch.go", "d.pages(at.Place)", "d.pages(engine.Place{Key: at.Place.Key[:0]})"}}, beside},
	{"a step of nothing not told", []patch{{"table/internal/wire/scripts/prelude/place.lua",
		"string.rep('1', #keys), 'b', BODY)", "string.rep('1', #keys), unpack(BODY ~= '' and {'b', BODY} or {}))"}}, folds},
	{"fold does not wait for older pins", []patch{{"engine/machine_pin.go",
		"return p.generation < m.view.Generation }", "return false }"}}, model},
	{"pin leaked", []patch{{"table/internal/scan/prefetch.go", "\tf.queue = nil\n\tf.pin.Release()", "\tf.queue = nil"}}, leaks},
	{"pin ignored by writes", []patch{{"engine/machine_pin.go",
		"return p.generation == m.view.Generation\n", "return false\n"}}, model},
	{"grace ignored", []patch{{"engine/pin.go",
		"\t\tg.timer.Reset(g.length)\n", ""}}, tables},
	{"page that begins one too far", []patch{{"table/internal/wire/scripts/page.lua",
		"if up then from = after > from and after or from else", "if up then from = after > from and after + 1 or from else"}}, model},
	{"short page taken as the end", []patch{{"table/internal/scan/page.go",
		"Final: len(reply.Rest) == 0}", "Final: len(reply.Rest) == 0 || len(reply.Rest) == len(bounds)}"}}, model},
	{"tombstone ignored while merging", []patch{{"table/internal/wire/scripts/page.lua",
		"if not (s.hides and s.staged[i]) then", "if not (s.hides and s.staged[i] and #s.staged[i] > 4) then"}}, model},
	{"old score kept", []patch{{"table/internal/store/commands.go",
		"n*(2+j)], \"zadd\", &indexes[j])\n", "n*(2+j)], \"zadd\", &indexes[j], \"nx\")\n"}}, model},
	{"staged rows not stamped for the next generation", []patch{{"engine/batch.go",
		"\t\tgeneration++\n", ""}}, model},
	{"abort leaves scores behind", []patch{{"table/internal/wire/scripts/abort.lua", "drop(shadow)\n", ""}}, model},
	{"discard judges what is merged", []patch{{"table/scratch.go",
		"\"discard\", scope: scripts.Staged,", "\"discard\", scope: scripts.Merged,"}}, model},
	{"cancelled waiter still executed", []patch{{"engine/batch.go",
		"return !r.tryClaim()\n", "r.tryClaim()\n\t\treturn false\n"},
		{"engine/effect.go", "may = r.depart() || may", "_, may = r.depart(), true"},
		{"engine/request.go", "!r.isAbandoned() && r.kind != 0", "r.kind != 0"}}, model},
	{"one record deleted twice", []patch{{"table/internal/wire/scripts/prelude/mark.lua",
		"elseif twice[key] then", "elseif false then"}}, linear},
	{"waiters out of order", []patch{{"engine/batch.go",
		"b.requests = append(b.requests, r)", "b.requests = append([]*request{r}, b.requests...)"}}, tables},
	{"waiter forgotten", []patch{{"engine/actor.go", "\t\t\tin.deferred = next\n", ""}}, actor},
	{"counts not checked", []patch{{"table/internal/wire/scripts/prelude/base.lua",
		"local function holds(t)\n", "local function holds(t)\n  if t then return true end\n"}}, tables},
	{"counts not checked by the quick way", []patch{{"table/internal/wire/scripts/prelude/quick.lua",
		"  and holds({count", "  and ({count"}}, quick},
	{"merged rows read the quick way while staged ones lie over them", []patch{{"table/internal/wire/scripts/prelude/quick.lua",
		"v[3] == 'active' or", "v[3] == 'active' or v[3] == 'merging' or"}}, quick},
	{"page by the quick way that takes what does not fit", []patch{{"table/internal/wire/scripts/prelude/quickpage.lua",
		"if n > fit then return nil end", ""}}, quick},
	{"whole session not ended by abort and clear", []patch{{"table/internal/wire/scripts/prelude/head.lua",
		"if t.whole and t.state ~= 'clear' then", "if t.whole then"}}, whole},
	{"whole session not ended by open", []patch{{"table/internal/wire/scripts/open.lua",
		"  if t.state == 'active' then", "  if t.state == 'active' and not t.whole then"}}, whole},
	{"whole session not ended by a reset", []patch{{"table/internal/wire/scripts/open.lua",
		"local fresh = {state = 'clear',", "local fresh = {whole = t.whole, state = t.whole and 'active' or 'clear',"}}, whole},
	{"whole session not ended by its fold", []patch{{"engine/machine_pin.go",
		"m.view.State, m.view.Whole = StateClear, false", "m.view.State = StateClear"}}, golden},
	{"rename of a key that is not there", []patch{{"table/internal/wire/scripts/foldwhole.lua",
		"local there = redis.call('EXISTS', STAGED) == 1", "local there = true"}}, whole},
	{"plain page of staged rows accepted after the fold", []patch{{"table/internal/scan/rank.go",
		"if err == nil && now != *home {", "if err == nil && now == wire.Nowhere {"}}, whole},
	{"tombstones in a whole session", []patch{{"table/internal/store/commands.go", "if r.Whole {", "if false {"}}, whole},
	{"merged rows kept by the copy of a whole merge", []patch{{"table/internal/scan/copy.go", "	if c.replaces {\n\t\tc.emptyMerged()", "	if false {\n\t\tc.emptyMerged()"}}, redone},
	{"count of a discard of everything lost with its reply", []patch{{"table/internal/wire/scripts/discardall.lua",
		"t.whole = 'active', true\nreturn done(t, gone)", "t.whole = 'active', true\nlocal a = done(t, '0')\na[3] = gone\nreturn a"}}, whole},
	{"lost update", []patch{{"table/internal/store/store.go", "return !e.Compare\n", "return true\n"}}, writes},
	{"update not compared", []patch{{"table/internal/wire/scripts/update.lua", "~= ARGV[#ARGV] then", "== false then"}}, writes},
	{"write-through forgotten by the merge", []patch{
		{"table/internal/wire/scripts/prelude/write.lua", "local function unstage(keys)\n", "local function unstage(keys)\n  if keys then return end\n"},
		{"table/internal/store/commands.go", "\t\tqueueUnstage(ctx, p, e, k)\n", ""}}, beside},
	{"written through a whole session and lost with its merge", []patch{
		{"table/internal/wire/scripts/prelude/write.lua", "    fill(t, STAGED, shadow, tonumber(t.gen) + 1)\n", ""},
		{"table/internal/store/commands.go", "\tqueueRows(ctx, p, restamped(e.Rows, e.Generation+1), &k.Staged, k.Shadow)\n", "\t_ = restamped\n"}}, beside},
	{"what is left by a discard of everything not told", []patch{{"table/internal/feed/log.go",
		"engine.Update, engine.DiscardAll:\n\t\treturn bodyOfRows", "engine.Update:\n\t\treturn bodyOfRows"}}, beside},
	{"a discard of everything knows rows that are deleted", []patch{{"engine/written.go",
		"\t\tdelete(w.rows, l.key)\n", ""}}, beside},
	{"written key not remembered", []patch{{"engine/machine_through.go",
		"\t\tm.emit(action{do: doRemember, ticket: m.current.ticket})\n", ""}}, beside},
	{"note outside the effect", []patch{{"table/internal/wire/scripts/seal.go", "	if e.Note != nil {\n", "	if len(e.Note) > 5 {\n"}}, writes},
	{"turn not given on", []patch{{"table/turns.go", "	if at == 0 {\n", "	if at < 0 {\n"}}, writes},
	{"session not bound", []patch{{"engine/session.go",
		"	if err := s.span.Err(); err != nil {\n		return err\n	}\n	return s.lifeErr()\n",
		"	return s.lifeErr()\n"},
		{"engine/session.go", "	s.span.lifetime.Store(a.lifetimes.scratch)\n", "	s.span.lifetime.Store(a.lifetimes.table)\n"}}, owned},
	{"merge after the holder has left", []patch{{"engine/request.go",
		"r.session.lifeErr() != nil {", "false {"}, {"engine/session.go", "	if s.life.Err() != nil {\n", "	if s.life == nil {\n"}}, owned},
	{"others stage beside a session", []patch{{"engine/machine_session.go",
		"		return s.session != 0 || m.sessions.holder == 0\n", "		return true\n"}}, owned},
	{"merge's note outside the effect", []patch{{"table/internal/wire/scripts/merge.lua",
		"if noted then tell('merge', SEQ, nil, 'n', note) else tell('merge', SEQ) end", "tell('merge', SEQ)"}}, owned},
	{"acknowledged before it is done", []patch{{"engine/machine.go",
		"\tm.current.phase = applying\n", "\tm.current.phase = applying\n\tm.answer(m.current.ticket, nil)\n"}}, model},
	{"predecessor not checked", []patch{{"table/internal/feed/chain.go",
		"if entries[i].Previous != from {", "if false {"}}, heard},
	{"counter taken for identity in the feed", []patch{{"table/internal/feed/chain.go",
		"if entries[i].Previous != from {",
		"if p := entries[i].Previous; p.Seq != from.Seq || p.Epoch.Count() != from.Epoch.Count() {"}}, chain},
	{"counter taken for identity by readers", []patch{
		{"table/internal/scan/lineage.go", "case now.Epoch == since.Epoch && now.Seq >= since.Seq && now.burns == since.burns:",
			"case now.Epoch.Count() == since.Epoch.Count() && now.Seq >= since.Seq && now.burns == since.burns:"},
		{"table/internal/scan/lineage.go", "now.Epoch.Count() <= since.Epoch.Count():", "now.Epoch.Count() < since.Epoch.Count():"}}, lines},
	{"body left out, and taken for told", []patch{{"table/internal/feed/entry.go",
		"\t\treturn e.Body != nil || e.All\n", "\t\treturn true\n"}}, copied},
	{"last row of a body forgotten", []patch{{"table/internal/feed/log.go",
		"bodyOfRows(e.Rows, l.mostBody())", "bodyOfRows(e.Rows[:len(e.Rows)-1], l.mostBody())"}}, heard},
	{"copy without redo", []patch{{"table/internal/scan/follow.go",
		"\treturn f.applyUpTo(ctx, at)\n", "\tf.at = at\n\treturn nil\n"}}, copied},
	{"long read without redo", []patch{{"table/internal/scan/copying.go",
		"return c.redo(ctx, positionOf(c.seen))", "return c.charge()"}}, read},
	{"layout not proven", []patch{{"table/internal/wire/scripts/prelude/read.lua",
		"  if t.layout ~= ARGV[1] then return nil, nil, answer('LAYOUT', t) end\n", ""}}, lines},
	{"answer that goes back believed", []patch{{"table/internal/scan/lineage.go",
		"\t\tnow.Epoch != since.Epoch && now.Epoch.Count() <= since.Epoch.Count():\n\t\treturn strays\n",
		"\t\tnow.Epoch != since.Epoch && now.Epoch.Count() <= since.Epoch.Count():\n\t\treturn follows\n"}}, lines},
	{"position off the line accepted", []patch{{"table/internal/scan/lineage.go",
		"\t\treturn ahead\n\t}\n\treturn off\n", "\t\treturn ahead\n\t}\n\treturn reached\n"}}, lines},
	{"proof younger than the question", []patch{{"table/internal/scan/keepup.go",
		"\treturn told(f.sink.Proven(asked))\n", "\treturn told(f.sink.Proven(time.Now()))\n"},
		{"table/internal/scan/keepup.go", "\tasked := time.Now()\n", ""}}, heard},
	{"lease not checked in the claim", []patch{{"table/internal/wire/scripts/open.lua",
		"  if holder and holder ~= ARGV[14] then return refuse('HELD', whole(left) .. ' ' .. holder) end\n", ""}}, leases},
	{"lease counted from the answer", []patch{
		{"table/lease.go", "\tsent := time.Now() // before it is sent: the server counts from later on\n", ""},
		{"table/lease.go", "l.renewed(sent.Add(l.length))", "l.renewed(time.Now().Add(l.length))"}}, leases},
	{"lease renewed after it was given up", []patch{{"table/internal/wire/scripts/renew.lua",
		"if not redis.call('HGET', TRUTH, LEASE[1]) then return answer('STALE', t) end\n", ""}}, leases},
	{"lease not given up", []patch{{"table/close.go", "\t\to.lease.giveUp()\n", ""}}, leases},
	{"lease not given up by an Open that fails", []patch{{"table/internal/store/opening.go",
		"if err != nil && o.lease != nil {", "if false && o.lease != nil {"}}, leases},
	{"lease not renewed while an Open folds", []patch{{"table/internal/store/lease.go", "\tkeeper.Go(func() { l.keep(ctx) })\n", ""}}, leases},
	{"server's clock alone trusted", []patch{{"lead/watch.go",
		"\treturn l.Length\n", "\treturn 0\n"}}, leads},
	{"fenced owner stands again at once", []patch{{"lead/run.go", "sleep(ctx, c.length)", "sleep(ctx, 0)"}}, leads},
	{"work's last words taken for its own accord", []patch{{"lead/term.go",
		"why = over(t) // the guard may not have noticed", "why = nil"}}, leads},
}
