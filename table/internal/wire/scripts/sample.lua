-- Reads some of the rows that readers see, spread over an index. ARGV: schema, index, rows at most, bytes at most.
-- Answers with their keys, rows and scores. SCHEMA: the table has another schema; last is how many of its indexes are being built, and that
-- schema. LOST: there is no table, or it is damaged; last is its schema, or ''. BUILDING: the index is not complete.
local stored, t = redis.call('HGET', TRUTH, 'schema'), readTruth()
if stored and stored ~= ARGV[1] then return answer('SCHEMA', {last = (t.building or '0') .. ' ' .. stored}) end
if not t.epoch or not holds(t) then return answer('LOST', {last = stored or ''}) end
local index, most, budget = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not complete(t, index) then return answer('BUILDING', t) end
local STRIDE = 163 -- a prime above most: rows come in a mixed order, so that a sample which the budget ends early is spread too
local keys, rows, scores = {}, {}, {}

-- take brings rows at evenly spread ranks, the first and the last among them. It leaves out rows that hidden has, too.
local function take(index, hash, hidden)
  local card, bytes = redis.call('ZCARD', index), 0
  local n = card < most and card or most
  for i = 0, n - 1 do
    local share = (i * STRIDE % n) * (card - 1)
    local rank = n > 1 and (share - share % (n - 1)) / (n - 1) or 0
    local found = redis.call('ZRANGE', index, rank, rank, 'WITHSCORES')
    local row = not (hidden and redis.call('HGET', hidden, found[1])) and redis.call('HGET', hash, found[1])
    if row then
      local at = #keys + 1
      keys[at], rows[at], scores[at] = found[1], row, found[2]
      bytes = bytes + #row
    end
    if bytes >= budget then return end
  end
end

local merging = t.state == 'merging'
if merging then take(shadow(index), STAGED) end
if not (merging and t.whole) then take(merged(index), ROWS, merging and STAGED) end
local a = answer('OK', t)
a[10], a[11], a[12] = keys, rows, scores
return a
