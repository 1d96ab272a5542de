-- Discards everything: from here on what is staged stands for the whole table, and merged rows are hidden by that alone. CHANGED:
-- something is staged beside them, and nothing was done. last: how many records a merge would have shown.
needsUnlink(STAGED)
needsUnlinkEach(shadow)
needsReplacing() -- by the fold: without, the merge could never be folded
local t, no = admit('clear', 'active')
if no then return no end
if t.state == 'active' and not t.whole then return answer('CHANGED', t) end
local gone = t.whole and t.staged or t.count
if t.state == 'clear' and gone == '0' then -- no session begins
  if TRIM ~= 'off' then append(EPOCH, SEQ, TRIM, 'p', PREV, 'k', 'discard', 'v', '', 'b', '') end
  return done(t, gone)
end
if TRIM ~= 'off' then append(EPOCH, SEQ, TRIM, 'p', PREV, 'k', 'discard', 'a', 'all') end
redis.call('UNLINK', STAGED)
drop(shadow)
t.state, t.whole = 'active', true
return done(t, gone)
