#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the scheme language by what it does: how lines replace each other,
# what ids, types and dedup keys are made of, where signatures and timestamps
# stand; and for JSON values, whatever the document and however it arrives.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Digest::SHA qw/ sha256_hex /;
use JSON::PP qw//;
use MIME::Base64 qw/ encode_base64 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $now = 1764000000;
my $key = "\x01\x02the-key-of-this-test\xff\xfe";
my $secret = 'a-secret-of-enough-bytes';

# schemes by name, each with a location of its name

my %schemes = (

	ids => <<'EOF',
signature   $http_x_sig;
event_id    json:/id;
event_type  json:/a/b;
EOF

	pointers => <<'EOF',
signature   $http_x_sig;
event_id    json:/m~0n/a~1b;
event_id    json:/~01;
event_id    json:/;
event_id    json:/x//y;
event_id    json:/0/id;
event_id    json:/10;
event_id    json:/ключ;
event_id    json:/list/-;
event_id    json:/list/01;
event_id    "json:/a b";
event_type  json:/%20;
EOF

	lines => <<'EOF',
signature   $http_x_sig;
event_id    json:/a json:/b;
event_id    json:/c "-$http_x_id-";
event_id    $http_x_id;
event_type  $http_x_type json:/type;
event_type  json:/type "literal";
EOF

	body => <<'EOF',
signature   $http_x_sig;
event_id    body;
event_type  body json:/id;
EOF

	first => <<'EOF',
signature   $http_x_sig;
event_id    json:/id;
event_type  json:/type;
event_type  json:/event;
EOF

	'replaced from=first' => <<'EOF',
event_type  json:/kind;
EOF

	'unchanged from=first' => '',

	'grandchild from=replaced' => <<'EOF',
event_id    json:/gid;
EOF

	'nothing from=first' => <<'EOF',
event_id    off;
event_type  off;
EOF

	'github from=nextpay' => '',

	'resigned from=first' => <<'EOF',
signature   $http_x_sig encoding=base64;
EOF

	parts => <<'EOF',
signature   $http_x_sig;
dedup_key   json:/a json:/b;
dedup_key   json:/c $http_x_topic;
EOF

	'keyless from=parts' => <<'EOF',
event_id    json:/id;
EOF

	sources => 'signature $http_x_sig $http_x_old "$http_x_a$http_x_b";',
	prefix => 'signature $http_x_sig prefix=v1=;',
	items => 'signature $http_x_sig "separator=, ;" prefix=v1=;',
	second => 'signature $http_x_sig separator=, item=2;',
	rest => 'signature $http_x_sig separator=, item=2- prefix=s;',
	base64 => 'signature $http_x_sig encoding=base64;',
	base64url => 'signature $http_x_sig encoding=base64url;',

	groups => <<'EOF',
signature   $http_x_sig "group= " separator=, prefix=v1=;
timestamp   $http_x_sig "group= " separator=, prefix=t=;
signed      $webhook_timestamp.$request_body;
EOF

	text => <<'EOF',
signature   $http_x_sig;
signed      "a b:${request_method}x$request_uri;$http_x_a|$request_body^$http_x_b.";
EOF

	eventid => <<'EOF',
signature   $http_x_sig;
event_id    $http_x_a;
event_id    $http_x_c;
signed      $webhook_event_id.$request_body;
EOF

	hexkey => "signature \$http_x_sig;\nsecret encoding=hex;",
	base64key => "signature \$http_x_sig;\nsecret encoding=base64;",
	rules => <<'EOF',
signature   $http_x_sig;
secret      prefix=hex_ encoding=hex;
secret      prefix=b64_ encoding=base64;
secret      prefix=raw_;
EOF

	(map { ("alg$_" => "signature \$http_x_sig;\nalgorithm hmac-sha$_;") }
		1, 256, 384, 512),

	seconds => <<'EOF',
signature   $http_x_sig;
timestamp   $http_x_ts $http_x_old_ts;
signed      $http_x_ts$http_x_old_ts.$request_body;
EOF

	'oneof' => <<'EOF',
signature   $http_x_sig;
timestamp   $http_x_sig2 separator=, prefix=t=;
tolerance   1m 10s;
signed      $webhook_timestamp.$request_body;
EOF

	rfc3339 => <<'EOF',
signature   $http_x_sig;
timestamp   $http_x_ts unit=rfc3339;
signed      "$http_x_ts|$request_body";
EOF

	jsonts => <<'EOF',
signature   $http_x_sig;
timestamp   json:/ts unit=ms;
event_id    json:/id;
EOF
);

my (%secrets) = (
	hexkey => unpack('H*', $key),
	base64key => encode_base64($key, ''),
	rules => 'hex_' . unpack('H*', $key) . "\nb64_" . encode_base64($key, '')
		. "\nraw_$secret\n$secret",
);

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime();

my ($schemes, $locations) = ('', '');

# those that others are from come first

foreach my $head (sort { ($a =~ /from=/ ? 1 : 0) <=> ($b =~ /from=/ ? 1 : 0)
	|| ($a =~ /from=replaced/ ? 1 : 0) <=> ($b =~ /from=replaced/ ? 1 : 0)
	|| $a cmp $b } keys %schemes)
{
	my ($name) = split ' ', $head;

	$schemes .= "webhook_scheme $head {\n$schemes{$head}\n}\n\n";

	my $file = "$name.secret";
	$t->write_file($file, (defined $secrets{$name} ? $secrets{$name} : $secret)
		. "\n");
	chmod 0600, $t->testdir() . "/$file";

	my $dedup = $name =~ /^(?:parts|keyless)$/ ? 'webhook_dedup zone=z;' : '';

	$locations .= <<"EOF";
        location = /$name {
            webhook_verify  $name;
            webhook_secret  file:$file;
            $dedup

            proxy_pass  http://127.0.0.1:8082;
        }

EOF
}

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=z:1m;

    client_body_buffer_size  2m;
    client_max_body_size     4m;

    proxy_set_header  X-Id      \$webhook_event_id;
    proxy_set_header  X-Type    \$webhook_event_type;
    proxy_set_header  X-Time    \$webhook_timestamp;
    proxy_set_header  X-Reason  \$webhook_reason;

    log_format  verdict  '\$webhook_status \$webhook_reason';
    access_log  %%TESTDIR%%/verdict.log  verdict;

$schemes

    server {
        listen       127.0.0.1:8080;
        server_name  memory;

        location = /dedup {
            webhook_verify  ids;
            webhook_secret  file:ids.secret;
            webhook_dedup   zone=z;

            proxy_pass  http://127.0.0.1:8082;
        }

        location = /small {
            webhook_verify         ids;
            webhook_secret         file:ids.secret;
            webhook_dedup          zone=z;
            webhook_json_max_size  64;

            proxy_pass  http://127.0.0.1:8082;
        }

$locations
    }

    server {
        listen       127.0.0.1:8081;
        server_name  file;

        client_body_in_file_only  clean;

$locations
    }
}

EOF

###############################################################################

# [ document, id ]: what is at /id

my $esc = '\\u';

my @values = (
	[ 'string', '{"id":"abc"}', 'abc' ],
	[ 'empty string', '{"id":""}', '' ],
	[ 'integer', '{"id":12345}', '12345' ],
	[ 'zero', '{"id":0}', '0' ],
	[ 'big integer', '{"id":123456789012345678901234567890}',
		'123456789012345678901234567890' ],
	[ 'integer over 2^63', '{"id":9223372036854775808}',
		'9223372036854775808' ],
	[ 'negative integer', '{"id":-17}', '-17' ],
	[ 'negative zero', '{"id":-0}', '-0' ],
	[ 'true', '{"id":true}', 'true' ],
	[ 'false', '{"id":false}', 'false' ],
	[ 'null', '{"id":null}', '' ],
	[ 'fraction', '{"id":1.5}', '' ],
	[ 'fraction that is whole', '{"id":1.0}', '' ],
	[ 'exponent', '{"id":1e3}', '' ],
	[ 'upper case exponent', '{"id":1E3}', '' ],
	[ 'object', '{"id":{"id":"a"}}', '' ],
	[ 'empty object', '{"id":{}}', '' ],
	[ 'array', '{"id":["a"]}', '' ],
	[ 'absent', '{"di":"a"}', '' ],
	[ 'deeper', '{"x":{"id":"a"}}', '' ],
	[ 'in an array', '[{"id":"a"}]', '' ],
	[ 'other case', '{"ID":"a"}', '' ],
	[ 'prefix of the key', '{"i":"a"}', '' ],
	[ 'key behind', '{"idx":"a"}', '' ],
	[ 'key with a zero byte', '{"id\\u0000":"a"}', '' ],
	[ 'last of many', '{' . join('', map { "\"k$_\":$_," } 1 .. 500)
		. '"id":"a"}', 'a' ],
	[ 'UTF-8', "{\"id\":\"\xc3\xbc\xf0\x9f\x98\x80\"}",
		"\xc3\xbc\xf0\x9f\x98\x80" ],
	[ 'escapes', "{\"id\":\"${esc}00fc${esc}d83d${esc}DE00\\\"\\\\\\/\"}",
		"\xc3\xbc\xf0\x9f\x98\x80\"\\/" ],
	[ 'escapes in the key', "{\"i${esc}0064\":\"a\"}", 'a' ],
	[ 'all of the key escaped', "{\"${esc}0069${esc}0064\":\"a\"}", 'a' ],
	[ '256 bytes', '{"id":"' . 'a' x 256 . '"}', 'a' x 256 ],
	[ '257 bytes', '{"id":"' . 'a' x 257 . '"}', '' ],
	[ '256 bytes, escaped', '{"id":"' . "${esc}0061" x 256 . '"}', 'a' x 256 ],
	[ 'integer of 257 digits', '{"id":' . '1' x 257 . '}', '' ],
	(map { [ "control character $_", "{\"id\":\"a$_\"}", '' ] }
		'\\n', '\\r', '\\t', '\\b', "${esc}0000", "${esc}001f", "${esc}007f"),

	[ 'duplicate key', '{"id":"a","id":"b"}', '' ],
	[ 'duplicate key, the same value', '{"id":"a","id":"a"}', '' ],
	[ 'duplicate key, one null', '{"id":null,"id":"a"}', '' ],
	[ 'duplicate key, one container', '{"id":"a","id":[]}', '' ],
	[ 'duplicate key, one escaped', "{\"id\":\"a\",\"i${esc}0064\":\"b\"}", '' ],
	[ 'duplicate key far behind', '{"id":"a","x":[' . '1,' x 9999
		. '1],"id":"b"}', '' ],
	[ 'other duplicate key', '{"x":1,"id":"a","x":2}', 'a' ],
	[ 'duplicate key in another object', '{"id":"a","x":{"id":1,"id":2}}',
		'a' ],

	[ 'lone high surrogate', "{\"id\":\"${esc}d83d\"}", '' ],
	[ 'lone low surrogate', "{\"id\":\"${esc}de00\"}", '' ],
	[ 'lone surrogate elsewhere', "{\"x\":\"${esc}d83d\",\"id\":\"a\"}", '' ],
	[ 'lone surrogate behind', "{\"id\":\"a\",\"x\":[\"${esc}DE00\"]}", '' ],
	[ 'lone surrogate in a key', "{\"${esc}d83d\":1,\"id\":\"a\"}", '' ],
	[ 'two high surrogates', "{\"x\":\"${esc}d83d${esc}d83d\",\"id\":\"a\"}",
		'' ],
	[ 'surrogates the wrong way round',
		"{\"x\":\"${esc}de00${esc}d83d\",\"id\":\"a\"}", '' ],
	[ 'high surrogate before a letter',
		"{\"x\":\"${esc}d83d${esc}0041\",\"id\":\"a\"}", '' ],
	[ 'high surrogate before an escape',
		"{\"x\":\"${esc}d83d\\n${esc}de00\",\"id\":\"a\"}", '' ],
	[ 'no surrogate, but its text', "{\"id\":\"\\\\ud83d\"}", '\\ud83d' ],

	[ 'depth 64', '{"id":"a","d":' . '[' x 63 . ']' x 63 . '}', 'a' ],
	[ 'depth 65', '{"id":"a","d":' . '[' x 64 . ']' x 64 . '}', '' ],
	[ 'depth 64, objects', '{"id":"a","d":' . '{"d":' x 63 . '1' . '}' x 64,
		'a' ],
	[ 'depth 65, objects', '{"id":"a","d":' . '{"d":' x 64 . '1' . '}' x 65,
		'' ],
	[ 'depth 100000', '{"id":"a","d":' . '[' x 100000, '' ],

	[ 'white space', " \t\r\n{ \"id\" :\n\"a\" } \r\n\t", 'a' ],
	map { [ "not JSON: $_->[0]", $_->[1], '' ] } (
		[ 'nothing', '' ],
		[ 'white space', " \n" ],
		[ 'text', 'id=a' ],
		[ 'truncated', '{"id":"a"' ],
		[ 'truncated string', '{"id":"a' ],
		[ 'truncated behind a comma', '{"id":"a",' ],
		[ 'trailing garbage', '{"id":"a"}x' ],
		[ 'trailing bracket', '{"id":"a"}}' ],
		[ 'trailing zero byte', "{\"id\":\"a\"}\0" ],
		[ 'two documents', '{"id":"a"}{"id":"b"}' ],
		[ 'two documents in lines', "{\"id\":\"a\"}\n{\"id\":\"b\"}\n" ],
		[ 'comment', '{"id":"a"/* c */}' ],
		[ 'comment behind', "{\"id\":\"a\"} // c\n" ],
		[ 'byte order mark', "\xef\xbb\xbf{\"id\":\"a\"}" ],
		[ 'NaN', '{"id":"a","x":NaN}' ],
		[ 'Infinity', '{"id":"a","x":-Infinity}' ],
		[ 'trailing comma', '{"id":"a",}' ],
		[ 'trailing comma in an array', '{"id":"a","x":[1,]}' ],
		[ 'single quotes', "{'id':'a'}" ],
		[ 'key without quotes', '{id:"a"}' ],
		[ 'key that is a number', '{1:2,"id":"a"}' ],
		[ 'leading zero', '{"id":"a","x":01}' ],
		[ 'leading plus', '{"id":"a","x":+1}' ],
		[ 'leading point', '{"id":"a","x":.5}' ],
		[ 'trailing point', '{"id":"a","x":1.}' ],
		[ 'minus', '{"id":"a","x":-}' ],
		[ 'exponent without digits', '{"id":"a","x":1e}' ],
		[ 'hex', '{"id":"a","x":0x10}' ],
		[ 'True', '{"id":"a","x":True}' ],
		[ 'invalid escape', '{"id":"a","x":"\\x"}' ],
		[ 'short escape', '{"id":"a","x":"\\u12"}' ],
		[ 'escape that is not hex', '{"id":"a","x":"\\u12g4"}' ],
		[ 'line break in a string', "{\"id\":\"a\",\"x\":\"\n\"}" ],
		[ 'zero byte in a string', "{\"id\":\"a\",\"x\":\"\0\"}" ],
		[ 'invalid UTF-8', "{\"id\":\"a\",\"x\":\"\xff\"}" ],
		[ 'truncated UTF-8', "{\"id\":\"a\",\"x\":\"\xc3\"}" ],
		[ 'UTF-16', "{\0\"\0i\0d\0\"\0:\0\"\0a\0\"\0}\0" ],
		[ 'wrong bracket', '{"id":"a","x":[}' ],
		[ 'no colon', '{"id" "a"}' ],
	),
);

# what is at /a/b

my @nested = (
	[ 'nested', '{"a":{"b":"x"}}', 'x' ],
	[ 'parent is a string', '{"a":"b"}', '' ],
	[ 'parent is an array', '{"a":["b"]}', '' ],
	[ 'duplicate parent', '{"a":{"b":"x"},"a":{"b":"y"}}', '' ],
	[ 'duplicate parent without it', '{"a":{"b":"x"},"a":{"c":"y"}}', '' ],
	[ 'duplicate parent before', '{"a":1,"a":{"b":"x"}}', '' ],
	[ 'duplicate parent behind', '{"a":{"b":"x"},"a":null}', '' ],
	[ 'duplicate parent, escaped', "{\"a\":{\"b\":\"x\"},\"${esc}0061\":1}", '' ],
	[ 'duplicate key', '{"a":{"b":"x","b":"y"}}', '' ],
	[ 'the same key above', '{"b":"y","a":{"b":"x"},"c":{"b":"z"}}', 'x' ],
);

my @pointers = (
	[ '~0 and ~1', '{"m~n":{"a/b":"v"}}', 'v' ],
	[ '~01', '{"~1":"v","/":"w"}', 'v' ],
	[ 'empty name', '{"":"v"}', 'v' ],
	[ 'empty name between', '{"x":{"":{"y":"v"}}}', 'v' ],
	[ 'array index', '[{"id":"v"},{"id":"w"}]', 'v' ],
	[ 'first element has none', '[{"x":"v"},{"id":"w"}]', '' ],
	[ 'name that looks like an index', '{"0":{"id":"v"}}', 'v' ],
	[ 'array index of two digits', '[0,1,2,3,4,5,6,7,8,9,"v",11]', 'v' ],
	[ 'array index behind the end', '[0,1,2,3,4,5,6,7,8,9]', '' ],
	[ 'array index, containers before', '[{"a":[1,2]},[3,[4]],[],{},0,1,2,3,4,5,'
		. '"v"]', 'v' ],
	[ 'unicode', '{"ключ":"v"}', 'v' ],
	[ 'unicode, escaped',
		"{\"${esc}043a${esc}043b${esc}044e${esc}0447\":\"v\"}", 'v' ],
	[ 'no element is -', '{"list":["a","b"]}', '' ],
	[ 'name -', '{"list":{"-":"v"}}', 'v' ],
	[ 'name with a leading zero', '{"list":{"01":"v"}}', 'v' ],
	[ 'blank', '{"a b":"v"}', 'v' ],
);

my $cut = "{\"x\":[-0,true,1.5e3,\"${esc}d83d${esc}de00\xc3\xbc\"],"
	. "\"i${esc}0064\":\"a\\\"\xf0\x9f\x98\x80${esc}d83d${esc}de00\","
	. '"a":{"b":12345}}';
my $cut_id = "a\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80";

my @cuts = (1 .. length($cut) - 1);

$t->plan(@values + @nested + @pointers + 2 * @cuts + 112);

my $u = upstream(8082);

$t->clock($now)->run();

###############################################################################
# JSON values

foreach (@values) {
	my ($name, $body, $id) = @$_;
	is(post('ids', $body), "200 id=$id", "value - $name");
}

foreach (@nested) {
	my ($name, $body, $type) = @$_;
	is(post('ids', $body), "200 id="
		. ($type ne '' ? " type=$type" : ''), "nested - $name");
}

foreach (@pointers) {
	my ($name, $body, $id) = @$_;
	is(post('pointers', $body), "200 id=$id", "pointer - $name");
}

# nothing about JSON is percent-decoded

is(post('pointers', '{"%20":"v"}'), '200 id= type=v', 'pointer - percent');

# however the document arrives

foreach my $n (@cuts) {
	is(post('ids', $cut, pieces => [ $n ]), "200 id=$cut_id type=12345",
		"cut at $n");
	is(post('ids', $cut, pieces => [ $n ], port => 8081, delay => 0.001),
		"200 id=$cut_id type=12345", "cut at $n, file");
}

is(post('ids', $cut, pieces => 'bytes'), "200 id=$cut_id type=12345",
	'byte by byte');
is(post('ids', $cut, chunked => [ (1) x length $cut ]),
	"200 id=$cut_id type=12345", 'chunks of one byte');
is(post('ids', $cut, port => 8081, pieces => 'bytes'),
	"200 id=$cut_id type=12345", 'byte by byte, file');
is(post('ids', $cut, http => '1.0'), "200 id=$cut_id type=12345", 'HTTP/1.0');

# across the pieces in which a file is read

foreach my $n (65530 .. 65540) {
	my $long = '{"x":"' . 'y' x ($n - 13) . "\",\"i${esc}0064\":\"a$n\"}";
	is(post('ids', $long, port => 8081), "200 id=a$n",
		"key around 64k in a file - $n");
}

# size

is(post('ids', '{"id":"a","x":"' . 'y' x (1048576 - 17) . '"}'), '200 id=a',
	'1m');
is(post('ids', '{"id":"a","x":"' . 'y' x (1048576 - 16) . '"}'), '200 id=',
	'more than 1m');

is(post('small', '{"id":"a","x":"' . 'y' x (64 - 17) . '"}'),
	'200 id=a', 'webhook_json_max_size');
is(post('small', '{"id":"a","x":"' . 'y' x (64 - 16) . '"}'),
	'200 id= reason=json_too_large', 'more than webhook_json_max_size');
is(post('small', '{"id":"b"}' . ' ' x 54), '200 id=b',
	'blanks to webhook_json_max_size');
is(post('small', '{"id":"c"}' . ' ' x 55), '200 id= reason=json_too_large',
	'blanks over webhook_json_max_size');

# with webhook_dedup: no key is no refusal, an ambiguous one is

is(post('dedup', '{"id":"a"}'), '200 id=a', 'dedup');
is(post('dedup', '{"id":"a"}'), '200 duplicate', 'dedup - duplicate');
is(post('dedup', "{\"i${esc}0064\":\"${esc}0061\",\"x\":1}"), '200 duplicate',
	'dedup - duplicate, written in another way');
is(post('dedup', '{"x":"a"}'), '200 id= reason=missing_id', 'dedup - no id');
is(post('dedup', '{"x":"a"}'), '200 id= reason=missing_id',
	'dedup - no id again');
is(post('dedup', '{"id":null}'), '200 id= reason=missing_id', 'dedup - null');
is(post('dedup', '{"id":""}'), '200 id= reason=missing_id', 'dedup - empty');
is(post('dedup', '{"id":1.5}'), '200 id= reason=missing_id',
	'dedup - fraction');
is(post('dedup', '{'), '200 id= reason=invalid_json', 'dedup - not JSON');
is(post('dedup', ''), '200 id= reason=invalid_json', 'dedup - nothing');
is(post('dedup', '{"id":"' . 'a' x 257 . '"}'), '200 id= reason=id_too_long',
	'dedup - long id');
is(post('dedup', '{"id":"a","id":"b"}'), '400', 'dedup - ambiguous');
is(post('dedup', '{"id":"c","a":{"b":1,"b":2}}'), '200 id=c',
	'dedup - ambiguous type');

like(join("\n", $t->wait_log(qr/ambiguous_json/, name => 'verdict.log')),
	qr/^REJECTED ambiguous_json$/, 'dedup - ambiguous, logged');

###############################################################################
# lines

is(post('lines', '{"a":"1","b":"2","c":"3","type":"t"}',
	headers => [[ 'X-Id', 'h' ], [ 'X-Type', 'T' ]]),
	'200 id=1:2 type=T:t', 'first line');
is(post('lines', '{"a":"1","c":"3","type":"t"}',
	headers => [[ 'X-Id', 'h' ]]), '200 id=3:-h- type=t:literal',
	'second line');
is(post('lines', '{"a":"1"}', headers => [[ 'X-Id', 'h' ]]), '200 id=h',
	'third line');
is(post('lines', '{"a":"1","b":""}'), '200 id=', 'no line');
is(post('lines', '{"a":"1:1","b":true}'), '200 id=1:1:true', 'colon in a part');
is(post('lines', 'not JSON', headers => [[ 'X-Id', 'h' ]]), '200 id=h',
	'line without JSON');
is(post('lines', '{"b":2,"a":1}', headers => [[ 'X-Id', [ 'h', 'i' ] ]]), '401',
	'id header twice');
is(post('lines', '{"b":2,"a":1}', headers => [[ 'X-Type', [ 'h', 'h' ] ]]),
	'401', 'type header twice');

my $hash = sha256_hex('{"id":"a"}');

is(post('body', '{"id":"a"}'), "200 id=$hash type=$hash:a", 'body');
is(post('body', '{"id":"a"}', port => 8081), "200 id=$hash type=$hash:a",
	'body, file');
is(post('body', ''), '200 id=' . sha256_hex(''), 'body, empty');
is(post('body', 'x' x 200000, pieces => [ 1, 65535, 70000 ]),
	'200 id=' . sha256_hex('x' x 200000), 'body, pieces');

# from=

my $doc = '{"id":"i","type":"t","event":"e","kind":"k","gid":"g"}';

is(post('first', $doc), '200 id=i type=t', 'scheme');
is(post('first', '{"event":"e"}'), '200 id= type=e', 'scheme, second line');
is(post('replaced', $doc), '200 id=i type=k', 'all lines replaced');
is(post('replaced', '{"event":"e"}'), '200 id=', 'no line is left');
is(post('unchanged', $doc), '200 id=i type=t', 'nothing replaced');
is(post('grandchild', $doc), '200 id=g type=k', 'from a scheme that is from one');
is(post('nothing', $doc), '200 id=', 'event_id off, event_type off');
is(post('resigned', $doc), '401', 'signature replaced');
is(post('resigned', $doc, sig => encode_base64(hmac('sha256', $secret, $doc), '')),
	'200 id=i type=t', 'signature replaced, the rest inherited');

my $sig = unpack('H*', hmac('sha256', $secret, $doc));

is(post('github', $doc, header => 'X-NextPay-Signature'), '200 id=i type=t',
	'built-in that is hidden');
is(post('github', $doc, header => 'X-Hub-Signature-256', sig => "sha256=$sig"),
	'401', 'hidden built-in is not used');

# dedup_key

is(post('parts', '{"a":"x:y","b":"z"}'), '200 id=', 'dedup_key');
is(post('parts', '{"a":"x","b":"y:z"}'), '200 id=',
	'dedup_key, the same text cut in another way');
is(post('parts', '{"b":"z","a":"x:y"}'), '200 duplicate',
	'dedup_key, duplicate');
is(post('parts', '{"a":"x:y","c":"z"}'), '200 id= reason=missing_id',
	'dedup_key, no line');
is(post('parts', '{"c":"z"}', headers => [[ 'X-Topic', 't' ]]), '200 id=',
	'dedup_key, second line');
is(post('parts', '{"c":"z"}', headers => [[ 'X-Topic', 'u' ]]), '200 id=',
	'dedup_key, another header');
is(post('parts', '{"c":"z"}', headers => [[ 'X-Topic', 't' ]]),
	'200 duplicate', 'dedup_key, second line, duplicate');
is(post('keyless', '{"id":"1","a":"p","b":"q"}'), '200 id=1',
	'dedup_key is inherited');
is(post('keyless', '{"id":"2","a":"p","b":"q"}'), '200 duplicate',
	'dedup_key is inherited, the id does not matter');

###############################################################################
# signatures

my ($hex, $other) = map { unpack('H*', hmac('sha256', $_, 'b')) } $secret, 'x';
my $raw = hmac('sha256', $secret, 'b');

foreach (
	[ 'sources', 'second source', [[ 'X-Old', $hex ]], 200 ],
	[ 'sources', 'any source', [[ 'X-Sig', $other ], [ 'X-Old', $hex ]], 200 ],
	[ 'sources', 'source of two headers', [[ 'X-A', substr($hex, 0, 9) ],
		[ 'X-B', substr($hex, 9) ]], 200 ],
	[ 'sources', 'half a source', [[ 'X-A', $hex ]], 401 ],
	[ 'sources', 'no source', [], 401 ],
	[ 'prefix', 'prefix', [[ 'X-Sig', "v1=$hex" ]], 200 ],
	[ 'prefix', 'no prefix', [[ 'X-Sig', $hex ]], 401 ],
	[ 'prefix', 'other prefix', [[ 'X-Sig', "v2=$hex" ]], 401 ],
	[ 'prefix', 'upper case prefix', [[ 'X-Sig', "V1=$hex" ]], 401 ],
	[ 'prefix', 'upper case digest', [[ 'X-Sig', 'v1=' . uc $hex ]], 200 ],
	[ 'items', 'items', [[ 'X-Sig', "v0=$hex,v1=$other; v1=$hex" ]], 200 ],
	[ 'items', 'items of other kinds', [[ 'X-Sig', "v0=$hex,v2=$hex" ]], 401 ],
	[ 'items', 'items on two lines', [[ 'X-Sig', [ "v1=$other", "v1=$hex" ] ]],
		200 ],
	[ 'second', 'second item', [[ 'X-Sig', "$other,$hex" ]], 200 ],
	[ 'second', 'first item', [[ 'X-Sig', "$hex,$other" ]], 401 ],
	[ 'second', 'third item', [[ 'X-Sig', "$other,$other,$hex" ]], 401 ],
	[ 'rest', 'third item of the rest', [[ 'X-Sig', "s$other,s$other,s$hex" ]],
		200 ],
	[ 'rest', 'first item, not of the rest', [[ 'X-Sig', "s$hex,s$other" ]],
		401 ],
	[ 'base64', 'base64', [[ 'X-Sig', encode_base64($raw, '') ]], 200 ],
	[ 'base64', 'hex is not base64', [[ 'X-Sig', $hex ]], 401 ],
	[ 'base64url', 'base64url', [[ 'X-Sig', base64url($raw) ]], 200 ],
) {
	my ($scheme, $name, $headers, $status) = @$_;
	like(post($scheme, 'b', header => undef, headers => $headers),
		qr/^$status\b/, "signature - $name");
}

my ($good, $bad) = map { unpack('H*', hmac('sha256', $_, "$now.b")) }
	$secret, 'x';
my $stale = $now - 301;
my $old = unpack('H*', hmac('sha256', $secret, "$stale.b"));

is(post('groups', 'b', sig => "t=$now,v1=$good t=$stale,v1=$old"),
	"200 id= time=$now", 'group - first');
is(post('groups', 'b', sig => "t=$stale,v1=$old t=$now,v1=$good"),
	"200 id= time=$now", 'group - second');
is(post('groups', 'b', sig => "t=$now,v1=$bad t=$stale,v1=$old"), '401',
	"group - one stale, one forged");
is(post('groups', 'b', sig => "t=$stale,v1=$good t=$now,v1=$old"), '401',
	"group - each with the other's time");

# signed text

my %ab = (headers => [[ 'X-A', 'h' ], [ 'X-B', 'i' ]]);

is(post('text', 'b', text => 'a b:POSTx/text;h|b^i.', %ab), '200 id=', 'text');
is(post('text', 'b', text => 'a b:PUTx/text;h|b^i.', %ab), '401',
	'text - other method');
is(post('text', 'b', text => 'a b:POSTx/text;h|b^i.',
	headers => [[ 'X-A', 'h' ]]), '401', 'text - header is missing');
is(post('text', 'b', text => 'a b:POSTx/text;h|i|b^i.',
	headers => [[ 'X-A', 'h|i' ], [ 'X-B', 'i' ]]), '401',
	'text - header holds what follows');

is(post('eventid', 'b', text => 'h.b', %ab), '200 id=h', 'id is signed');
is(post('eventid', 'b', text => 'j.b', headers => [[ 'X-C', 'j' ]]),
	'200 id=j', 'id of the second line is signed');
is(post('eventid', 'b', text => '.b'), '401', 'signed id is missing');

# secrets

is(post('hexkey', 'b', key => $key), '200 id=', 'hex secret');
is(post('base64key', 'b', key => $key), '200 id=', 'base64 secret');
is(join(' ', map { post('rules', 'b', key => $_) } $key, $secret,
	"raw_$secret", 'x'), '200 id= 200 id= 401 401', 'secrets by prefix');

# algorithms

is(join(' ', map { post("alg$_", 'b', sig => unpack('H*', hmac("sha$_",
	$secret, 'b'))) } 1, 256, 384, 512),
	'200 id= 200 id= 200 id= 200 id=', 'algorithms');

# timestamps

is(post('oneof', 'b', text => ($now - 60) . '.b',
	headers => [[ 'X-Sig2', 'v=1, t=' . ($now - 60) ]]),
	'200 id= time=' . ($now - 60), 'tolerance, past');
is(post('oneof', 'b', text => ($now - 61) . '.b',
	headers => [[ 'X-Sig2', 't=' . ($now - 61) ]]), '401',
	'tolerance, too long past');
is(post('oneof', 'b', text => ($now + 10) . '.b',
	headers => [[ 'X-Sig2', 't=' . ($now + 10) ]]),
	'200 id= time=' . ($now + 10), 'tolerance, future');
is(post('oneof', 'b', text => ($now + 11) . '.b',
	headers => [[ 'X-Sig2', 't=' . ($now + 11) ]]), '401',
	'tolerance, too far in the future');

my $rfc = '2025-11-24T17:00:00.123456789+01:00';

is(post('rfc3339', 'b', text => "$rfc|b", headers => [[ 'X-Ts', $rfc ]]),
	"200 id= time=$rfc", 'RFC 3339');
is(post('jsonts', "{\"ts\":${now}123,\"id\":1}"), "200 id=1 time=${now}123",
	'timestamp in JSON, integer');
is(post('jsonts', "{\"ts\":\"${now}123\",\"id\":1}"), "200 id=1 time=${now}123",
	'timestamp in JSON, string');
is(join(' ', map { post('jsonts', $_) } "{\"ts\":$now}", '{"id":1}', '{',
	"{\"ts\":${stale}000}", "{\"ts\":${now}123,\"ts\":${now}123}"),
	'401 401 401 401 401', 'timestamp in JSON, wrong');

###############################################################################

sub base64url {
	my $text = encode_base64($_[0], '');
	$text =~ tr!+/!-_!;
	$text =~ s/=+$//;
	return $text;
}

# sends and tells what became of it

sub post {
	my ($name, $body, %opts) = @_;

	my $text = delete $opts{text};
	my $k = delete $opts{key};
	my $sig = delete $opts{sig};
	my $header = exists $opts{header} ? delete $opts{header} : 'X-Sig';

	if (!defined $sig) {
		$sig = unpack('H*', hmac('sha256', defined $k ? $k : $secret,
			defined $text ? $text : $body));
	}

	my @headers = defined $header ? [ $header, $sig ] : ();
	push @headers, @{delete $opts{headers} || []};

	$u->reset();

	my $r = request(%opts, uri => "/$name", body => $body,
		headers => \@headers);

	return "$r->{status} duplicate" if $r->header('Webhook-Duplicate');
	return $r->{status} unless $u->count();

	my $req = $u->last();
	my ($id, $type, $time, $reason) = map {
		my ($value) = Test::Nginx::Upstream::header($req, $_);
		defined $value ? $value : '';
	} qw/ X-Id X-Type X-Time X-Reason /;

	return "$r->{status} body differs" if $req->{body} ne $body;

	return "$r->{status} id=$id" . ($type ne '' ? " type=$type" : '')
		. ($time ne '' ? " time=$time" : '')
		. ($reason ne '' ? " reason=$reason" : '');
}

###############################################################################
