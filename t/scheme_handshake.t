#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for handshakes: each as the provider does it; what is not quite one is
# judged as any request; what is answered is text and nothing else; and no
# answer is the signature of an event.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Digest::SHA qw/ hmac_sha256 hmac_sha256_hex sha256_hex /;
use MIME::Base64 qw/ encode_base64 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/)->has_faketime();

my $now = 1764000000;
my $secret = 'a-secret-of-enough-bytes';
my $token = 'the-agreed-verify-token';

$t->write_file('secret', "$secret\nanother-secret-of-enough-bytes\n");
$t->write_file('token', "an-older-verify-token\n$token\n");
chmod 0600, map { $t->testdir() . "/$_" } qw/ secret token /;

# a location for each scheme, one where it is off, one in dry run

my %schemes = (
	(map { $_ => undef } qw/ meta zoom slack twitch dropbox trello x nylas
		okta mandrill tebex oura /),

	websub => 'signature $http_x_sig; handshake get if=query:hub.mode=subscribe'
		. ' if=query:hub.topic=https://example.com/feed'
		. ' echo=query:hub.challenge;',
	header => 'signature $http_x_sig;'
		. ' handshake get echo=$http_x_challenge as=json:verification;',
	word => 'signature $http_x_sig; handshake get echo=query:c;',
	id => 'signature $http_x_sig; handshake get echo=query:c grammar=id;',
	digits => 'signature $http_x_sig;'
		. ' handshake get echo=query:c grammar=digits;',
	post => 'signature $http_x_sig; handshake post echo=query:c;'
		. ' handshake head if=query:c=1 status=204;',
	crc => 'signature $http_x_sig encoding=base64 prefix=sha256=;'
		. ' handshake get hmac=query:crc_token as=json:response_token'
		. ' prefix=sha256= encoding=base64;',
	'crc-digits' => 'signature $http_x_sig;'
		. ' handshake get hmac=query:c grammar=digits;',
	literal => 'signature $http_x_sig; signed v0:$http_x_id:$request_body;'
		. ' handshake get hmac=query:c "prefix=a\"b ";',
	members => 'signature $http_x_sig; event_id json:/id;'
		. ' handshake signed post if=json:/type=ping if=json:/n=1'
		. ' token=json:/token echo=json:/text as=json:text;'
		. ' handshake signed post if=json:/type=other echo=json:/text;',
);

my $blocks = join "\n", map { "webhook_scheme $_ { $schemes{$_} }" }
	grep { $schemes{$_} } sort keys %schemes;

my $locations = join "\n", map {
	my $name = $_;

	my $tokens = $name =~ /^(?:meta|oura|members)$/
		? 'webhook_handshake_token file:token;' : '';
	my $dedup = $name =~ /^(?:members|zoom)$/ ? 'webhook_dedup zone=z;' : '';

	my $common = "webhook_verify $name; webhook_secret file:secret; $tokens"
		. " $dedup proxy_pass http://127.0.0.1:8081;";

	"location = /on/$name { $common webhook_handshake on; }\n"
	. "location = /off/$name { $common }\n"
	. "location = /dry/$name { $common webhook_handshake on;"
	. " webhook_dry_run on; }"
} sort keys %schemes;

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=z:1m;
    webhook_json        \$text  /text;

    $blocks

    map \$arg_tenant \$their_token {
        one      token-of-the-first;
        two      token-of-the-second;
    }

    map \$arg_tenant \$their_secret {
        one      secret-of-the-first-tenant;
    }

    log_format  verdict  '"\$arg_case" \$status \$webhook_status'
                         ' \$webhook_reason';
    access_log  %%TESTDIR%%/verdict.log  verdict;

    # nothing of this is for handshakes
    default_type  text/html;
    charset       koi8-r;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        $locations

        location = /page.html {
            webhook_verify     dropbox;
            webhook_secret     file:secret;
            webhook_handshake  on;
            add_header         X-More  more;
            proxy_pass         http://127.0.0.1:8081;
        }

        location = /tenants {
            webhook_verify           meta;
            webhook_secret           file:secret;
            webhook_handshake        on;
            webhook_handshake_token  \$their_token;
            proxy_pass               http://127.0.0.1:8081;
        }

        location = /secrets {
            webhook_verify           crc;
            webhook_secret           \$their_secret;
            webhook_handshake        on;
            proxy_pass               http://127.0.0.1:8081;
        }

        location = /unverified {
            webhook_handshake  on;
            proxy_pass         http://127.0.0.1:8081;
        }

        location = /filtered {
            webhook_verify     slack;
            webhook_secret     file:secret;
            webhook_handshake  on;
            webhook_ignore     1;
            webhook_ignored_status  202;
            proxy_pass         http://127.0.0.1:8081;
        }

        # a POST that becomes a GET

        location = /redirected {
            error_page  404 = /on/word?c=abc;
            return      404;
        }

        location = /errors {
            webhook_verify         word;
            webhook_secret         file:secret;
            webhook_handshake      on;
            webhook_reject_status  403;
            error_page             403  /refused;
            proxy_pass             http://127.0.0.1:8081;
        }

        location = /refused {
            proxy_pass  http://127.0.0.1:8081;
        }

    }

    server {
        listen             127.0.0.1:8082;
        webhook_verify     meta;
        webhook_handshake  on;

        location / {
            proxy_pass               http://127.0.0.1:8081;
            webhook_secret           file:secret;
            webhook_handshake_token  file:token;
        }

        location /inert {
            webhook_verify  github;
            webhook_secret  file:secret;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->plan(178);
$t->clock($now)->run();

###############################################################################

# as providers do it

my $meta = "hub.mode=subscribe&hub.verify_token=$token&hub.challenge=1158201444";

is(answer('/on/meta', $meta), '200 text/plain; charset=utf-8 1158201444',
	'meta');
is(answer('/on/meta', "hub.verify_token=an-older-verify-token&"
	. 'hub.challenge=7&hub%2Emode=%73ubscribe'),
	'200 text/plain; charset=utf-8 7', 'meta - encoded, older token');
is(answer('/on/dropbox', 'challenge=A.b_c~1+2%2F3-%3D'), '401',
	'dropbox - a blank');
is(answer('/on/dropbox', 'challenge=A.b_c~1%2B2/3-%3D'),
	'200 text/plain; charset=utf-8 A.b_c~1+2/3-=', 'dropbox');
is(answer('/on/websub', 'hub.topic=https://example.com/feed&hub.mode=subscribe'
	. '&hub.challenge=abc'), '200 text/plain; charset=utf-8 abc', 'websub');
is(answer('/on/header', '', headers => [ [ 'X-Challenge', 'abc-123' ] ]),
	'200 application/json {"verification":"abc-123"}', 'header');
is(answer('/on/trello', '', method => 'HEAD', head => 1),
	'200 text/plain; charset=utf-8 ', 'trello');
is(answer('/on/post', 'c=abc', method => 'POST', body => 'x' x 100000),
	'200 text/plain; charset=utf-8 abc', 'post, a long body');
is(answer('/on/post', 'c=1', method => 'HEAD', head => 1), '204',
	'status of one\'s own');

my $crc = encode_base64(hmac_sha256('abc', $secret), '');

is(answer('/on/crc', 'crc_token=abc'), '200 application/json'
	. qq! {"response_token":"sha256=$crc"}!, 'crc');
is(answer('/on/x', 'crc_token=abc'), '200 application/json'
	. qq! {"response_token":"sha256=$crc"}!, 'x');
is(answer('/on/nylas', 'challenge=abc'), '200 text/plain; charset=utf-8 abc',
	'nylas');
is(answer('/on/okta', '', headers =>
	[ [ 'X-Okta-Verification-Challenge', 'abc' ] ]),
	'200 application/json {"verification":"abc"}', 'okta');
is(answer('/on/mandrill', '', method => 'HEAD', head => 1),
	'200 text/plain; charset=utf-8 ', 'mandrill');
is(answer('/on/oura', "verification_token=$token&challenge=abc-1"),
	'200 application/json {"challenge":"abc-1"}', 'oura');
is(answer('/on/oura', "verification_token=x$token&challenge=abc-1"), '401',
	'oura - another token');
is(tebex('{"id":"3f1c","type":"validation.webhook"}'),
	'200 application/json {"id":"3f1c"}', 'tebex');
is(tebex('{"id":"3f1c","type":"validation.webhooks"}'), '200 proxied',
	'tebex - an event');
is(tebex('{"id":"3f1c","type":"validation.webhook"}', 'x'), '401',
	'tebex - another signature');
is(answer('/on/literal', 'c=abc'), '200 text/plain; charset=utf-8 a"b '
	. hmac_sha256_hex('abc', $secret) . '', 'hmac alone, prefix');

is(timed('zoom', '{"event":"endpoint.url_validation",'
	. '"payload":{"plainToken":"q-_Z9"}}'),
	'200 application/json {"plainToken":"q-_Z9","encryptedToken":"'
	. hmac_sha256_hex('q-_Z9', $secret) . '"}', 'zoom');
is(timed('slack', '{"token":"x","challenge":"3eZbrw1a","type":"url_verification"}'),
	'200 text/plain; charset=utf-8 3eZbrw1a', 'slack');
is(twitch('webhook_callback_verification', '{"challenge":"pogchamp-kappa"}'),
	'200 text/plain; charset=utf-8 pogchamp-kappa', 'twitch');
is(members('{"type":"ping","n":1,"token":"' . $token . '","text":"t"}'),
	'200 application/json {"text":"t"}', 'signed, with a token');
is(members('{"type":"other","text":"t"}'),
	'200 text/plain; charset=utf-8 t', 'second line');

# the rest of an answer

my $r = request(uri => "/on/meta?$meta&case=rest", method => 'GET');

is(join(', ', map { "$_: " . ($r->header($_) || '') } qw/ X-Content-Type-Options
	Cache-Control Content-Security-Policy Content-Length /),
	'X-Content-Type-Options: nosniff, Cache-Control: no-store, '
	. "Content-Security-Policy: default-src 'none'; sandbox, "
	. 'Content-Length: 10', 'headers');

$r = request(uri => '/page.html?challenge=abc', method => 'GET');

is($r->header('Content-Type') . " $r->{body} " . $r->header('X-More'),
	'text/plain; charset=utf-8 abc more', 'type is not that of the address');

is_deeply([ $t->logged('rest') ], [ '200 HANDSHAKE ' ], 'status');

my $client = client();
is(join(' ', map { request(uri => "/on/word?c=$_", method => 'GET',
	client => $client)->{body} } 1 .. 3), '1 2 3', 'keepalive');
is(request(uri => '/on/post?c=4', body => 'x' x 70000, client => $client)
	->{body} . request(uri => '/on/word?c=5', method => 'GET',
	client => $client)->{body}, '45', 'keepalive - body is discarded');
$client->close();

is(answer('/on/word', 'c=abc', http => '1.0'),
	'200 text/plain; charset=utf-8 abc', 'HTTP/1.0');
is(answer('/on/word', 'c=abc', method => 'GET', body => 'unread', chunked => 1),
	'200 text/plain; charset=utf-8 abc', 'chunked body');

###############################################################################

# nothing without the directive

is(answer("/off/$_->[0]", $_->[1], %{$_->[2] || {}}), '401', "$_->[0] - off")
	foreach [ 'meta', $meta ], [ 'dropbox', 'challenge=abc' ],
		[ 'websub', 'hub.topic=https://example.com/feed&'
			. 'hub.mode=subscribe&hub.challenge=abc' ],
		[ 'header', '', { headers => [ [ 'X-Challenge', 'abc-123' ] ] } ],
		[ 'trello', '', { method => 'HEAD', head => 1 } ],
		[ 'post', 'c=abc', { method => 'POST' } ],
		[ 'crc', 'crc_token=abc' ];

is(timed('slack', '{"challenge":"3eZbrw1a","type":"url_verification"}',
	'/off'), '200 proxied', 'slack - off');
is(timed('zoom', '{"event":"endpoint.url_validation",'
	. '"payload":{"plainToken":"a"}}', '/off'), '200 proxied',
	'zoom - off');
is(twitch('webhook_callback_verification', '{"challenge":"a"}', '/off'),
	'200 proxied', 'twitch - off');
is(answer('/unverified', 'c=abc', method => 'POST'), '200 proxied',
	'nothing is verified');

# other methods

is(join(' ', map { answer('/on/word', 'c=abc', method => $_,
		head => $_ eq 'HEAD') }
	qw/ POST HEAD PUT DELETE OPTIONS PATCH PROPFIND /),
	join(' ', ('401') x 7), 'other methods');
is(join(' ', map { answer('/on/post', 'c=abc', method => $_) }
	qw/ GET PUT DELETE OPTIONS PATCH PROPFIND /),
	join(' ', ('401') x 6), 'post - other methods');
is(join(' ', map { answer('/on/trello', '', method => $_) }
	qw/ GET POST PUT /), join(' ', ('401') x 3),
	'trello - other methods');
is(answer('/redirected', '', method => 'POST'), '401',
	'a method that an error page has changed');
is(answer('/redirected', '', method => 'GET'),
	'200 text/plain; charset=utf-8 abc', 'the same method');

# signed ones that are not signed, or not right

my $url = '{"challenge":"3eZbrw1a","type":"url_verification"}';

is(answer('/on/slack', '', method => 'POST', body => $url), '401',
	'not signed');
is(timed('slack', $url, '/on', key => 'wrong'), '401', 'signed wrongly');
is(timed('slack', $url, '/on', ts => $now - 301), '401', 'stale');
is(timed('slack', $url, '/on', sent => flip($url)), '401', 'another body');
is(timed('slack', $url, '/dry', sent => flip($url)), '200 proxied',
	'another body, dry run');
is(answer('/on/slack', '', method => 'GET', body => $url), '401',
	'signed, GET');
is(timed('slack', $url, '/on', method => 'PUT'), '200 proxied',
	'signed, another method: an event');

is(answer('/on/zoom', '', method => 'POST',
	body => '{"event":"endpoint.url_validation","payload":{"plainToken":"a"}}'),
	'401', 'zoom - not signed, no MAC');

# what is not quite one is an event

is(timed('slack', $_->[0]), '200 proxied', "slack - $_->[1]") foreach
	[ '{"challenge":"a","type":"url_verification2"}', 'another type' ],
	[ '{"challenge":"a","type":"url_verificatio"}', 'half a type' ],
	[ '{"challenge":"a"}', 'no type' ],
	[ '{"type":"url_verification"}', 'no challenge' ],
	[ '{"challenge":{"a":"b"},"type":"url_verification"}', 'an object' ],
	[ '{"challenge":null,"type":"url_verification"}', 'null' ],
	[ '{"challenge":"","type":"url_verification"}', 'an empty one' ],
	[ '{"challenge":"a","challenge":"b","type":"url_verification"}', 'two' ],
	[ '{"challenge":"a","type":"url_verification","type":"a"}', 'two types' ],
	[ '{"challenge":"<script>","type":"url_verification"}', 'HTML' ],
	[ '{"challenge":"a\u0000b","type":"url_verification"}', 'NUL' ],
	[ '{"challenge":"\u00e9","type":"url_verification"}', 'UTF-8' ],
	[ '{"challenge":"a\"b","type":"url_verification"}', 'a quote' ],
	[ '{"challenge":"' . 'a' x 257 . '","type":"url_verification"}',
		'a long one' ],
	[ '{"challenge":"a","type":"url_verification"', 'no JSON' ];

is(timed('slack', '{"challenge":"' . 'a' x 256 . '","type":"url_verification"}'),
	'200 text/plain; charset=utf-8 ' . 'a' x 256 . '', 'the longest');
is(timed('slack', '{"challenge":12,"type":"url_verification"}'),
	'200 text/plain; charset=utf-8 12', 'a number');
is(twitch('notification', '{"challenge":"a"}'), '200 proxied',
	'twitch - an event');
is(twitch([ ('webhook_callback_verification') x 2 ], '{"challenge":"a"}'),
	'200 proxied', 'twitch - a header that stands twice');

# judged before the filter, and not remembered

is(timed('slack', $url, '', uri => '/filtered'),
	'200 text/plain; charset=utf-8 3eZbrw1a', 'before the filter');
is(timed('slack', '{"type":"event"}', '', uri => '/filtered'), '202',
	'an event is filtered');

my $validation = '{"event":"endpoint.url_validation",'
	. '"payload":{"plainToken":"again"}}';
is(timed('zoom', $validation), timed('zoom', $validation), 'nothing is remembered');
is(members('{"type":"ping","n":1,"token":"' . $token . '","text":"t","id":"i"}')
	. ', ' . members('{"type":"pong","id":"i"}'),
	'200 application/json {"text":"t"}, 200 proxied',
	'nothing is claimed');
is(timed('zoom', '{"event":"e"}') . ', ' . timed('zoom', '{"event":"e"}'),
	'200 proxied, 200 text/html; charset=koi8-r ', 'but events are');

# queries

my @none = ('c=', 'c', '', 'C=abc', 'cc=abc', 'a=c=abc', 'c=abc&c=abc',
	'c=abc&c', 'c=abc&%63=', 'c=a%20b', 'c=a+b', 'c=%', 'c=%4', 'c=%4g',
	'c=a%00b', 'c=%C3%A9', 'c=<b>', 'c=%3Cb%3E', 'c=a%0D%0Ab', 'c=%22',
	'c=a;b', 'c=' . 'a' x 257, 'c%00=abc', '%=abc', 'c=a%2561', '&&=&');

is(answer('/on/word', $_), '401', 'query - ' . substr($_, 0, 20))
	foreach @none;

is(join(' ', map { (split ' ', answer('/on/word', $_))[3] }
	'c=abc', '%63=%61bc', '&c=abc&', 'a&c=abc', 'c=abc&b=%', 'c=abc&cc=d',
	join('&', 'c=abc', ('a=b') x 1000)),
	join(' ', ('abc') x 7), 'query - found');
is(answer('/on/word', 'c=' . 'a' x 256), '200 text/plain; charset=utf-8 '
	. 'a' x 256 . '', 'query - the longest');

# grammars

is(join(' ', map { substr answer('/on/id', "c=$_"), 0, 3 }
	'a-b_9', 'a' x 128, 'a' x 129, 'a.b', 'a~b', 'a/b', 'a=b'),
	'200 200 401 401 401 401 401', 'grammar - id');
is(join(' ', map { substr answer('/on/digits', "c=$_"), 0, 3 }
	'0', '1' x 20, '1' x 21, '1a', '-1', '1.0'),
	'200 200 401 401 401 401', 'grammar - digits');

# conditions and tokens

is(answer('/on/websub', $_), '401', "websub - $_") foreach
	'hub.topic=https://example.com/other&hub.mode=subscribe&hub.challenge=a',
	'hub.topic=https://example.com/feed&hub.mode=denied&hub.challenge=a',
	'hub.topic=https://example.com/feed&hub.challenge=a';

(my $wrong = $meta) =~ s/agreed/agreeD/;
(my $short = $meta) =~ s/token&/toke&/;
(my $empty = $meta) =~ s/token=[^&]*/token=/;
(my $without = $meta) =~ s/hub.verify_token=[^&]*&//;

is(join(' ', map { answer('/on/meta', $_) } $wrong, $short, $empty, $without,
	"$meta&hub.verify_token=$token"), join(' ', ('401') x 5),
	'meta - token');

request(uri => "/on/meta?$wrong&case=wrong", method => 'GET');
request(uri => "/on/meta?$without&case=without", method => 'GET');
is_deeply([ $t->logged('wrong'), $t->logged('without') ],
	[ '401 REJECTED signature_mismatch', '401 REJECTED missing_signature' ],
	'meta - reasons');

is(join("\n", map { my $a = request(uri => $_, method => 'GET');
		join "\n", $a->{body}, sort map { "@$_" } grep { $_->[0] ne 'Date' }
			@{$a->{headers}} } "/on/meta?$wrong"),
	join("\n", map { my $a = request(uri => $_, method => 'GET');
		join "\n", $a->{body}, sort map { "@$_" } grep { $_->[0] ne 'Date' }
			@{$a->{headers}} } "/on/meta?a"),
	'meta - a wrong token looks like any other rejection');

is(answer('/tenants', "$meta&tenant=one"), '401', 'token of a variable');
(my $one = $meta) =~ s/$token/token-of-the-first/;
is(join(' ', map { answer('/tenants', "$one&tenant=$_") } qw/ one two three /),
	'200 text/plain; charset=utf-8 1158201444 401 401',
	'token of a variable - each its own');

is(members('{"type":"ping","n":1,"token":"wrong","text":"t"}'), '401',
	'signed - a wrong token');
is(members('{"type":"ping","n":2,"token":"wrong","text":"t"}'),
	'200 proxied', 'signed - a condition that does not hold');

is(answer('/secrets', 'crc_token=abc&tenant=one'), '200 application/json'
	. ' {"response_token":"sha256='
	. encode_base64(hmac_sha256('abc', 'secret-of-the-first-tenant'), '')
	. '"}', 'secret of a variable');
is(answer('/secrets', 'crc_token=abc'), '401', 'secret of a variable - none');

# in dry run

request(uri => "/dry/meta?$meta&case=dry", method => 'GET');
is_deeply([ $t->logged('dry') ], [ '200 HANDSHAKE_DRY_RUN ' ],
	'dry run - status');
is(answer('/dry/meta', $meta),
	'200 text/plain; charset=utf-8 1158201444', 'dry run');
is(timed('slack', $url, '/dry'), '200 text/plain; charset=utf-8 3eZbrw1a',
	'dry run - signed');
is(answer('/dry/meta', $wrong), '200 proxied',
	'dry run - a wrong token');

# a body with what is none after all is withheld from error pages

is(request(uri => '/errors?c=%', method => 'GET', body => 'unverified')
	->{status} . ' ' . length $u->last()->{body}, '403 0', 'error page');

# inherited

is(answer('/', $meta, port => 8082),
	'200 text/plain; charset=utf-8 1158201444', 'inherited');
is(answer('/inert', $meta, port => 8082), '401',
	'inherited - nothing to answer');

###############################################################################

# No oracle: what is answered to is no event, here or elsewhere.

foreach my $where (qw/ on off dry /) {
	my @bodies = ('abc', 'a' x 256, 'a' x 257, 'A9._~+/=-', '0', '');

	my $got = join ' ', map { crc($where, $_) } @bodies;

	is($got, join(' ', ($where eq 'dry' ? '200 proxied' : 401) x @bodies),
		"no oracle - $where");
}

is(join(' ', map { crc('on', $_) } '{}', '[1]', 'abc ', ' ', "a\n", 'a:b',
	'a' x 300000 . '{', "\0"), join(' ', ('200 proxied') x 8),
	'no oracle - other bodies');
is(join(' ', map { crc('on', 'a' x 300000, pieces => [ $_ ]) } 1, 150000),
	'401 401', 'no oracle - in pieces');

request(uri => '/on/crc?case=oracle', body => 'abc',
	headers => [ [ 'X-Sig', "sha256=$crc" ] ]);
is_deeply([ $t->logged('oracle') ], [ '401 REJECTED signature_mismatch' ],
	'no oracle - reason');

is(join(' ', map { my $body = $_;
	substr request(uri => '/on/crc-digits', body => $body, headers =>
		[ [ 'X-Sig', hmac_sha256_hex($body, $secret) ] ])->{status}, 0, 3 }
	'123', '1' x 21, 'abc', '12a'), '401 401 200 200',
	'no oracle - digits');

is(request(uri => '/on/literal', body => 'abc', headers => [ [ 'X-Id', 1 ],
	[ 'X-Sig', hmac_sha256_hex('v0:1:abc', $secret) ] ])->{status}, 200,
	'no oracle - told by a literal');

# what the configuration says

my $sig = 'signature $http_x_sig;';

foreach my $case (
	[ qr/handshake would sign events/,
		"$sig timestamp \$http_x_t; signed \$http_x_t\$request_body;"
		. 'handshake get hmac=query:c;' ],
	[ qr/handshake would sign events/,
		"$sig signed v0-\$request_body; handshake get hmac=query:c;" ],
	[ qr/handshake would sign events/,
		"$sig signed \$http_x_id.\$request_body; handshake get hmac=query:c;" ],
	[ '', "$sig signed \$http_x_id.\$request_body;"
		. 'handshake get hmac=query:c grammar=id;' ],
	[ '', "$sig timestamp \$http_x_t; signed \$http_x_t\$request_body;"
		. 'handshake signed post hmac=query:c;' ],
	[ qr/"hmac=", but its algorithm makes no MAC/,
		"$sig algorithm token; handshake get hmac=query:c;" ],
	[ qr/"hmac=", but its algorithm makes no MAC/,
		"$sig algorithm ed25519; handshake signed post hmac=json:/c;" ],
	[ qr/without "signed" the body cannot be looked at in "echo=json:/,
		"$sig handshake post echo=json:/c;" ],
	[ qr/without "signed" .* "if=json:/,
		"$sig handshake post if=json:/a=b status=200;" ],
	[ qr/no answer/, "$sig handshake get;" ],
	[ qr/no method/, "$sig handshake signed;" ],
	[ qr/invalid method "put"/, "$sig handshake put status=200;" ],
	[ qr/a second answer "hmac=/,
		"$sig handshake get echo=query:c hmac=query:d;" ],
	[ qr/invalid parameter "status=200"/,
		"$sig handshake get echo=query:c status=200;" ],
	[ qr/invalid parameter "status=300"/, "$sig handshake get status=300;" ],
	[ qr/nothing else/, "$sig handshake get status=200 as=json:a;" ],
	[ qr/is for "hmac=" only/, "$sig handshake get echo=query:c prefix=a;" ],
	[ qr/is for "hmac=" only/,
		"$sig handshake get echo=query:c as=json:a with=json:b;" ],
	[ qr/"with=", but no "as="/,
		"$sig handshake get hmac=query:c with=json:b;" ],
	[ qr/one member for two values/,
		"$sig handshake get hmac=query:c as=json:b with=json:b;" ],
	[ qr/a part that is no "query:", .* in "echo=\$args"/,
		"$sig handshake get echo=\$args;" ],
	[ qr/a part that is no/, "$sig handshake get echo=abc;" ],
	[ qr/a part that is no/, "$sig handshake get echo=a\$http_b;" ],
	[ qr/no parameter is named/, "$sig handshake get echo=query:;" ],
	[ qr/invalid parameter "if=query:a"/,
		"$sig handshake get if=query:a status=200;" ],
	[ qr/invalid parameter "if=query:a="/,
		"$sig handshake get if=query:a= status=200;" ],
	[ qr/duplicate parameter "token=/,
		"$sig handshake get token=query:a token=query:b status=200;" ],
	[ qr/invalid parameter "as=json:a"b"/,
		"$sig handshake get echo=query:c 'as=json:a\"b';" ],
	[ qr/invalid parameter "as=a"/, "$sig handshake get echo=query:c as=a;" ],
	[ qr/invalid parameter "grammar=html"/,
		"$sig handshake get echo=query:c grammar=html;" ],
	[ qr/"handshake" directive has no answer/, "$sig handshake get;" ],
	[ qr/"handshake" directive stands more than 4 times/, "$sig " . 'handshake get status=200;' x 5 ],
	[ qr/"off" takes no other/, "$sig handshake get status=200;"
		. 'handshake off;' ],
	)
{
	my ($message, $text) = @$case;

	my ($rc, $out) = $t->conf_test("webhook_scheme s {\n$text\n}",
		in => 'http');

	ok($message ? $rc && $out =~ $message : !$rc, "conf - $text")
		or diag($out);
}

my $on = 'webhook_secret file:secret; webhook_handshake on;';

foreach my $case (
	[ qr/"webhook_verify github" has no "handshake" in .*:\d/,
		"webhook_verify github; $on" ],
	[ qr/needs "webhook_handshake_token" with "webhook_verify meta" in /,
		"webhook_verify meta; $on" ],
	[ '', "webhook_verify meta; $on webhook_handshake_token file:token;" ],
	[ qr/nosuch" failed/,
		"webhook_verify meta; $on webhook_handshake_token file:nosuch;" ],
	[ qr/is chosen by the client/,
		"webhook_verify meta; $on webhook_handshake_token \$arg_t;" ],
	[ qr/invalid value "maybe" in "webhook_handshake"/,
		'webhook_handshake maybe;' ],
	)
{
	my ($message, $text) = @$case;

	my ($rc, $out) = $t->conf_test($text, in => 'location');

	ok($message ? $rc && $out =~ $message : !$rc, "conf - $text")
		or diag($out);
}

my ($rc, $out) = $t->conf_test("webhook_handshake on; webhook_verify github;\n"
	. "webhook_secret file:secret; server { }", in => 'http');
ok($rc && $out =~ /has no "handshake"/, 'conf - on for all');

($rc, $out) = $t->conf_test("webhook_scheme s from=meta { handshake off; }\n"
	. "server { location / { webhook_verify s; $on } }", in => 'http');
ok($rc && $out =~ /has no "handshake"/, 'conf - taken away');

###############################################################################

# status, type and text of an answer, or that the request was proxied

sub answer {
	my ($uri, $query, %opts) = @_;

	$u->reset();

	my $r = request(method => 'GET', %opts,
		uri => length $query ? "$uri?$query" : $uri);

	return "$r->{status} proxied" if $u->count();
	return $r->{status} if $r->{status} > 200;

	return join ' ', 200, $r->header('Content-Type'), $r->{body};
}

sub timed {
	my ($name, $body, $where, %opts) = @_;

	my $ts = defined $opts{ts} ? $opts{ts} : $now;
	my $prefix = $name eq 'slack' ? 'X-Slack' : 'X-Zm';

	return answer($opts{uri} || ($where || '/on') . "/$name", '',
		method => $opts{method} || 'POST',
		body => defined $opts{sent} ? $opts{sent} : $body,
		headers => [ [ "$prefix-Request-Timestamp", $ts ],
			[ "$prefix-Signature", 'v0=' . hmac_sha256_hex(
				"v0:$ts:$body", $opts{key} || $secret) ] ]);
}

sub twitch {
	my ($type, $body, $where) = @_;

	my ($id, $ts) = ('e76c6bd4', '2025-11-24T16:00:00Z');

	return answer(($where || '/on') . '/twitch', '', method => 'POST',
		body => $body, headers => [
			[ 'Twitch-Eventsub-Message-Id', $id ],
			[ 'Twitch-Eventsub-Message-Timestamp', $ts ],
			[ 'Twitch-Eventsub-Message-Type', $type ],
			[ 'Twitch-Eventsub-Message-Signature', 'sha256='
				. hmac_sha256_hex("$id$ts$body", $secret) ] ]);
}

sub members {
	my ($body) = @_;

	return answer('/on/members', '', method => 'POST', body => $body,
		headers => [ [ 'X-Sig', hmac_sha256_hex($body, $secret) ] ]);
}

sub tebex {
	my ($body, $more) = @_;

	return answer('/on/tebex', '', method => 'POST', body => $body,
		headers => [ [ 'X-Signature', hmac_sha256_hex(
			sha256_hex($body) . ($more || ''), $secret) ] ]);
}

sub crc {
	my ($where, $body, %opts) = @_;

	$u->reset();

	my $r = request(uri => "/$where/crc", body => $body, %opts, headers =>
		[ [ 'X-Sig', 'sha256='
			. encode_base64(hmac_sha256($body, $secret), '') ] ]);

	return $u->count() ? "$r->{status} proxied" : $r->{status};
}

###############################################################################
