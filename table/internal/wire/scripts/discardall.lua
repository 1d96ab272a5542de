-- Discards everything: from here on what is staged stands for the whole table, and merged rows are hidden by that alone. What the session
-- has written through stays: ARGV has it as for stage. CHANGED: something is staged beside what is merged, and nothing was done. last: how
-- many records a merge would have shown, without those that stay.
needsUnlink(STAGED)
needsUnlinkEach(shadow)
needs('HSET', STAGED)
needsEach('ZADD', shadow)
needsReplacing() -- by the fold: without, the merge could never be folded
local t, no = admit('clear', 'active')
if no then return no end
if t.state == 'active' and not t.whole then return answer('CHANGED', t) end
local kept = tonumber(ARGV[COMMON + 1])
local gone = tonumber(t.whole and t.staged or t.count) - kept
gone = whole(gone > 0 and gone or 0)
if t.state == 'clear' and gone == '0' then -- no session begins
  if TRIM ~= 'off' then append(EPOCH, SEQ, TRIM, 'p', PREV, 'k', 'discard', 'v', '', 'b', '') end
  return done(t, gone)
end
if kept > 0 and BODY == '' then
  tell('discard', SEQ) -- too large to be told
else
  tell('discard', SEQ, nil, 'a', 'all')
end
redis.call('UNLINK', STAGED)
drop(shadow)
if kept > 0 then fill(t, STAGED, shadow) end
t.state, t.whole = 'active', true
return done(t, gone)
