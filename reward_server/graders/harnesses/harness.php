<?php
// Calls the functions of main.php: a request a line on standard input, an answer a line on standard output.

final class Harness
{
    private const MAX_DEPTH = 64;

    public static function find(string $name): callable
    {
        if (function_exists($name)) {
            return $name;
        }
        if (isset($GLOBALS[$name]) && is_callable($GLOBALS[$name])) {
            return $GLOBALS[$name];
        }
        if (class_exists('Solution') && method_exists('Solution', $name)) {
            return (new ReflectionMethod('Solution', $name))->isStatic() ? ['Solution', $name] : [new Solution(), $name];
        }
        throw new Error("Call to undefined function $name()");
    }

    public static function encode($value, int $depth = 0): string
    {
        if ($depth > self::MAX_DEPTH) {
            throw new LengthException('the value is too deep');
        }
        if (is_float($value) && !is_finite($value)) {
            return is_nan($value) ? 'NaN' : ($value > 0 ? 'Infinity' : '-Infinity');
        }
        if ($value === null || is_scalar($value)) {
            $flags = JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRESERVE_ZERO_FRACTION | JSON_UNESCAPED_SLASHES;
            return json_encode($value, $flags | JSON_THROW_ON_ERROR);
        }
        if ($value instanceof Traversable) {
            $value = iterator_to_array($value, true);
        }
        if ($value instanceof stdClass) {
            return self::map((array) $value, $depth);
        }
        if (!is_array($value)) {
            throw new TypeError('a ' . get_debug_type($value) . ' is no plain value');
        }
        if (array_keys($value) !== array_keys(array_values($value))) {
            return self::map($value, $depth);
        }
        return '[' . implode(',', array_map(fn ($item) => self::encode($item, $depth + 1), $value)) . ']';
    }

    private static function map(array $value, int $depth): string
    {
        $parts = [];
        foreach ($value as $key => $item) {
            $parts[] = json_encode((string) $key, JSON_INVALID_UTF8_SUBSTITUTE) . ':' . self::encode($item, $depth + 1);
        }
        return '{' . implode(',', $parts) . '}';
    }

    public static function reply(array $request): string
    {
        try {
            $arguments = $request['args'];
            $references = [];
            foreach ($arguments as $i => $_) {
                $references[] = &$arguments[$i];
            }
            return '{"value":' . self::encode(call_user_func_array(self::find($request['function']), $references)) . '}';
        } catch (Throwable $error) {
            $mro = [get_class($error), ...array_values(class_parents($error))];
            $raised = ['mro' => $mro, 'message' => substr($error->getMessage(), 0, 2000)];
            return json_encode(['raised' => $raised], JSON_INVALID_UTF8_SUBSTITUTE);
        }
    }

    public static function answer(int $id, string $text): void
    {
        while (ob_get_level()) {
            ob_end_flush();
        }
        fwrite(STDOUT, "\n\x1e$id $text\n");
        fflush(STDOUT);
    }
}

ini_set('display_errors', 'stderr');
ini_set('serialize_precision', '-1');
require 'main.php';
Harness::answer(0, '{"value":true}');
while (($line = fgets(STDIN)) !== false) {
    $request = json_decode($line, true, 200, JSON_BIGINT_AS_STRING);
    Harness::answer($request['id'], Harness::reply($request));
}
