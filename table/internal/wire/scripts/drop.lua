-- Removes a table, whoever owns it. KEYS as in base.lua, for the indexes in the stored schema. ARGV: schema and epoch as they were
-- found, or ''. Answers with how many of truth, rows, staged rows and feed there are, schema, epoch. It drops the table if schema
-- and epoch are those of ARGV.
local there = redis.call('EXISTS', TRUTH, ROWS, STAGED, FEED)
local found = redis.call('HMGET', TRUTH, 'schema', 'epoch')
local schema, epoch = found[1] or '', found[2] or ''
local a = answer('OK', {})
a[10], a[11], a[12] = there, schema, epoch
if schema == '' or schema ~= ARGV[1] or epoch ~= ARGV[2] then return a end
for i = 1, #KEYS do needsUnlink(KEYS[i]) end
local no = barred()
if no then return no end
for i = 1, #KEYS do redis.call('UNLINK', KEYS[i]) end
return a
