local base = KEYS[1]
local call = redis.call
--@common
-- ARGV: pk, # or = or '' (both), before or '', expired_at or '', most. Returns how many rows went.
local pk, sort, before, expired, most = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local codes = {}
local d = base .. 'd:' .. pk
local head = call('HGET', d, 'H') or '0'
local function sorts_before(a, b)
    for i = 1, math.min(#a, #b) do
        local one, other = string.byte(a, i), string.byte(b, i)
        if one ~= other then return one < other end
    end
    return #a < #b
end
local function wanted(code)
    local kind, name = string.sub(code, 1, 1), string.sub(code, 2)
    if sort ~= '' and kind ~= sort then return false end
    if sort == '#' and tonumber(name) >= tonumber(before) then return false end
    if sort == '=' and not sorts_before(name, before) then return false end
    return not (kind == '#' and name == head)
end
if expired ~= '' then
    local from = 0
    while #codes < most do
        local page = call('ZRANGE', base .. 'x:' .. pk, '-inf', expired, 'BYSCORE', 'LIMIT', from, most)
        for _, code in ipairs(page) do
            if #codes < most and wanted(code) then codes[#codes + 1] = code end
        end
        if #page < most then break end
        from = from + #page
    end
else
    if sort ~= '=' and head ~= '0' then
        local last = tonumber(head)
        if sort == '#' then last = math.min(last, tonumber(before) - 1) end
        local at = tonumber(call('HGET', d, 'F'))
        while at <= last and #codes < most do
            at = nearest(d, at, last)
            if not at then break end
            codes[#codes + 1] = '#' .. int(at)
            at = at + 1
        end
    end
    if sort ~= '#' then
        local high = sort == '=' and '(' .. before or '+'
        local names = call('ZRANGE', base .. 't:' .. pk, '-', high, 'BYLEX', 'LIMIT', 0, most - #codes)
        for _, name in ipairs(names) do codes[#codes + 1] = '=' .. name end
    end
end
if #codes == 0 then return 0 end
local mark = tonumber(call('HGET', base .. 'm', 'mark') or 0)
for _, code in ipairs(codes) do
    local row = remove(pk, code)
    if row then mark = math.max(mark, tonumber(string.match(row, '^(%d+)%-'))) end
end
settle(pk)
call('HSET', base .. 'm', 'mark', int(mark))
call('XTRIM', base .. 'f', 'MINID', int(mark + 1))
return #codes
