local base = KEYS[1]
local call = redis.call
local function int(n) return string.format('%.0f', n) end
-- ARGV: since, limit. Returns rev, the last one known where since was lost, mark and the entries, the last commit's all.
local meta = call('HMGET', base .. 'm', 'rev', 'mark', 'e')
local since, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local rev, mark = tonumber(meta[1] or 0), tonumber(meta[2] or 0)
for last in string.gmatch(meta[3] or '', '%d+') do
    local gone = tonumber(last)
    if since > gone and since <= (math.floor(gone / 2^30) + 1) * 2^30 then return {last, int(mark), {}} end
end
if since > rev or mark > math.max(since, 0) or limit <= 0 then return {int(rev), int(mark), {}} end
local from = int(math.max(since, 0) + 1) .. '-0'
local page = call('XRANGE', base .. 'f', from, '+', 'COUNT', limit)
-- The newest commit stands in every feed that was not trimmed up to it: this one was evicted.
if #page == 0 and since < rev then return {int(rev), int(rev), {}} end
if #page == limit then
    local commit, n = string.match(page[#page][1], '^(%d+)%-(%d+)$')
    local rest = call('XRANGE', base .. 'f', commit .. '-' .. int(tonumber(n) + 1), commit)
    for _, entry in ipairs(rest) do page[#page + 1] = entry end
end
return {int(rev), int(mark), page}
