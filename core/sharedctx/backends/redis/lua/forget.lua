-- Forget the numbers of partitions that hold nothing, if none holds anything.
if redis.call('EXISTS', KEYS[1] .. 'p') == 0 then
    redis.call('DEL', KEYS[1] .. 'l')
    -- A server that removed the space's state has its last revision in the feed still: none is given twice.
    if redis.call('HEXISTS', KEYS[1] .. 'm', 'rev') == 0 and redis.call('EXISTS', KEYS[1] .. 'f') == 1 then
        local told = redis.call('XINFO', 'STREAM', KEYS[1] .. 'f')
        for at = 1, #told, 2 do
            if told[at] == 'last-generated-id' then
                redis.call('HSET', KEYS[1] .. 'm', 'rev', string.match(told[at + 1], '^%d+'))
            end
        end
    end
end
