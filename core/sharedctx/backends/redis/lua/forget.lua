local base = KEYS[1]
-- Forget the numbers of partitions that hold nothing, if none holds anything.
if redis.call('EXISTS', base .. 'p') == 0 then
    redis.call('DEL', base .. 'l')
    -- A server that removed the space's state has its last revision in the feed still: none is given twice.
    if redis.call('HEXISTS', base .. 'm', 'rev') == 0 and redis.call('EXISTS', base .. 'f') == 1 then
        local told = redis.call('XINFO', 'STREAM', base .. 'f')
        for at = 1, #told, 2 do
            if told[at] == 'last-generated-id' then
                redis.call('HSET', base .. 'm', 'rev', string.match(told[at + 1], '^%d+'))
            end
        end
    end
end
