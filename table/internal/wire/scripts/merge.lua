-- Shows all that is staged: from here on staged rows lie over merged ones. ARGV after the common ones: 'noted' or ''; the note.
local t, no = admit('active')
if no then return no end
local noted, note = ARGV[COMMON + 1] ~= '', ARGV[COMMON + 2]
if noted then tell('merge', SEQ, nil, 'n', note) else tell('merge', SEQ) end
if noted then leave(t, note) end
t.gen, t.state = whole(tonumber(t.gen) + 1), 'merging'
return done(t, '')
