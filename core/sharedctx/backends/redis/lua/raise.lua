-- Raise the clock's mark to ARGV[1] if that is later; returns the mark.
local held = redis.call('GET', KEYS[1])
if held and tonumber(held) >= tonumber(ARGV[1]) then return held end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
