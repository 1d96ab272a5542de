-- Ends a transaction that has stored rows. KEYS: truth, rows, staged rows, first staged index. ARGV: seq, state, rver.
redis.call('HSET', KEYS[1], 'seq', ARGV[1], 'last', '', 'state', ARGV[2], 'rver', ARGV[3],
  'count', redis.call('HLEN', KEYS[2]), 'staged', redis.call('HLEN', KEYS[3]), 'live', redis.call('ZCARD', KEYS[4]))
