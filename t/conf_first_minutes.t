#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the mistakes that are made in the first minutes: each is met by a
# sentence that helps, of "nginx -t" or of the error log.  What is right, or is
# not said of what is right, is tested beside it.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy rewrite access map/);

my $long = 'word0123456789word';
my $dir = $t->testdir();

my %file = (
	good => "whsec_dGhlLXNlY3JldC1vZi10aGlzLXRlc3Q=\n",
	cut => "dGhlLXNlY3JldC1vZi10aGlzLXRlc3Q=\r\n",
	empty => '',
	comments => "# one\n\n# two\n",
	quotes => "\"$long\"\n",
	bom => "\xef\xbb\xbf$long\n",
	utf16 => join("\0", split //, $long) . "\0\n\0",
	api => "sk_live_$long\n",
	text => "$long\n",
);

foreach my $name (keys %file) {
	$t->write_file($name, $file{$name});
	chmod 0600, "$dir/$name";
}

mkdir "$dir/folder";

my $verify = "webhook_verify github; webhook_secret file:text;";
my $zone = 'webhook_dedup_zone zone=events:1m;';
my $signature = 'signature $http_x_signature;';

# what is refused, or warned of

my @cases = (

# the module

[ 'load_module too late', main => "events { }\nload_module x.so;\n",
	qr/"load_module" directive is specified too late/ ],
[ 'a scheme misspelled', location => 'webhook_verify strip; '
	. 'webhook_secret file:text;',
	qr/unknown webhook scheme "strip", did you mean "stripe"\? in \S+:\d+/ ],
[ 'in capitals', location => 'webhook_verify Stripe; '
	. 'webhook_secret file:text;',
	qr/unknown webhook scheme "Stripe", did you mean "stripe"\?/ ],
[ 'with an underline', location => 'webhook_verify standard_webhooks; '
	. 'webhook_secret file:good;', qr/did you mean "standard-webhooks"\?/ ],
[ 'on', location => 'webhook_verify on; webhook_secret file:text;',
	qr/unknown webhook scheme "on", name one, as "stripe" in / ],
[ 'a scheme like no other', location => 'webhook_verify whatever; '
	. 'webhook_secret file:text;',
	qr/unknown webhook scheme "whatever" in / ],
[ 'from= misspelled', http => "webhook_scheme a from=gitub { }",
	qr/unknown scheme "gitub".*, did you mean "github"\?/ ],
[ 'two schemes', location => 'webhook_verify stripe github;',
	qr/invalid number of arguments in "webhook_verify"/ ],

# secrets

[ 'no secret', location => 'webhook_verify github;',
	qr/"webhook_verify github" has no "webhook_secret" in / ],
[ 'no webhook_verify', location => 'webhook_secret file:text;',
	qr/"webhook_secret"\ without\ "webhook_verify":\ requests\ are\ not\ verified
	\ in\ \S+:\d+/x ],
[ 'no webhook_verify, dedup', http => "$zone server { webhook_dedup "
	. "zone=events; location / { } }",
	qr/"webhook_dedup" without "webhook_verify": requests are not verified/ ],
[ 'no such file', location => 'webhook_verify github; '
	. 'webhook_secret file:nosuch;',
	qr/open\(\) "\S+nosuch" failed \(2: No such file/ ],
[ 'a folder', location => 'webhook_verify github; '
	. 'webhook_secret file:folder;', qr/is not a regular file/ ],
[ 'an empty file', location => 'webhook_verify github; '
	. 'webhook_secret file:empty;', qr/"\S+empty" holds no secret/ ],
[ 'comments only', location => 'webhook_verify github; '
	. 'webhook_secret file:comments;', qr/"\S+comments" holds no secret/ ],
[ 'file: forgotten', location => 'webhook_verify github; '
	. 'webhook_secret /etc/nginx/secrets/github;',
	qr/a secret looks like a path, write "file:\.\.\." in / ],
[ 'file: forgotten, relative', location => 'webhook_verify github; '
	. 'webhook_secret text;',
	qr/a secret looks like a path, write "file:\.\.\." in / ],
[ 'an API key', location => 'webhook_verify stripe; '
	. 'webhook_secret file:api;',
	qr/\[warn\]\ .*secret\ 1\ of\ "webhook_verify\ stripe"\ does\ not\ begin\ with
	\ "whsec_"\ in/x ],
[ 'the prefix cut off', location => 'webhook_verify stripe; '
	. 'webhook_secret file:cut;',
	qr/secret 1 of "webhook_verify stripe" does not begin with "whsec_"/ ],
[ 'quotes', location => 'webhook_verify github; '
	. 'webhook_secret file:quotes;',
	qr/a secret has quotes around it, which are taken as part of it/ ],
[ 'a byte order mark', location => 'webhook_verify github; '
	. 'webhook_secret file:bom;',
	qr/starts with a byte order mark, which is taken as part of the secret/ ],
[ 'UTF-16', location => 'webhook_verify github; '
	. 'webhook_secret file:utf16;',
	qr/secret file "\S+utf16" holds a NUL byte: is it UTF-16\?/ ],
[ 'no base64', location => 'webhook_verify yoco; '
	. 'webhook_secret whsec_not-base-64;',
	qr/secret\ 1\ of\ "webhook_verify\ yoco"\ is\ empty\ or\ cannot\ be\ decoded,\ wanted
	\ is\ "whsec_"\ and\ base64\ in/x ],
[ 'no 32 bytes', location => 'webhook_verify discord; '
	. 'webhook_secret 0123456789abcdef;',
	qr/"webhook_verify discord" .* decoded, wanted is 32 bytes in hex in / ],
[ 'with $$', location => 'webhook_verify github; '
	. "webhook_secret pa\$\$$long;",
	qr/a secret with "\$" in it must stand in a file, write "file:\.\.\."/ ],
[ 'with $ and a word', location => "webhook_verify github;\n"
	. "webhook_secret pa\$$long;",
	qr/a\ secret\ names\ a\ variable\ that\ is\ unknown:\ one\ with\ "\$"\ in\ it\ must
	\ stand\ in\ a\ file,\ write\ "file:..."\ in\ \S+:\d+/x ],
[ 'chosen by the client', location => 'webhook_verify github; '
	. 'webhook_secret $http_x_secret;',
	qr/is chosen by the client, use a map/ ],
[ 'no such variable of the environment', location => 'webhook_verify github; '
	. 'webhook_secret env:NO_SUCH_SECRET;',
	qr/environment variable "NO_SUCH_SECRET".* is not set/ ],
[ 'env: with a variable', location => 'webhook_verify github; '
	. 'webhook_secret env:A_$host;',
	qr/variables cannot be used in secret source/ ],

# deduplication

[ 'a zone misspelled', http => "$zone server {\nlocation / {\n$verify\n"
	. "webhook_dedup zone=event;\n} }",
	qr/unknown zone "event" in "webhook_dedup" in \S+:\d+/ ],
[ 'no zone', location => "$verify webhook_dedup zone=events;",
	qr/unknown zone "events" in "webhook_dedup" in / ],
[ 'zone= forgotten', location => "$verify webhook_dedup events;",
	qr/"events", "zone=" is missing in / ],
[ 'dedup on', location => "$verify webhook_dedup on;",
	qr/"on", "zone=" is missing in / ],
[ 'a small zone', http => 'webhook_dedup_zone zone=events:16k;',
	qr/zone "zone=events:16k" is too small, the least is \d+k in / ],
[ 'a zone without a size', http => 'webhook_dedup_zone zone=events;',
	qr/invalid zone size "zone=events", the least is \d+k/ ],
[ 'a size in mb', http => 'webhook_dedup_zone zone=events:10mb;',
	qr/invalid zone size "zone=events:10mb", the least is \d+k/ ],
[ 'ttl in days', http => "$zone server { location / { $verify "
	. "webhook_dedup zone=events ttl=3days; } }",
	qr/invalid time "ttl=3days" in / ],
[ 'ttl of nothing', http => "$zone server { location / { $verify "
	. "webhook_dedup zone=events ttl=0; } }", qr/invalid time "ttl=0" in / ],
[ 'ttl with blanks', http => "$zone server { location / { $verify "
	. "webhook_dedup zone=events ttl = 3d; } }",
	qr/invalid parameter "ttl" in / ],
[ 'ttl below the window', http => "$zone server { location / { "
	. "webhook_verify stripe; webhook_secret file:good; "
	. "webhook_dedup zone=events ttl=10s; } }", qr/is raised to 300s/ ],
[ 'two places, one name', http => "$zone server { location / { $verify "
	. "webhook_dedup zone=events key=k; } location /a { webhook_verify "
	. "github; webhook_secret file:api; webhook_dedup zone=events key=k; } }",
	qr/with different secrets share "key=k"/ ],
[ 'a secret of a variable, no key=', http => "$zone map \$host \$tenant { "
	. "default $long; } server { location / { webhook_verify github; "
	. "webhook_secret \$tenant; webhook_dedup zone=events; } }",
	qr/"webhook_dedup" needs "key=" where/ ],
[ 'a scheme without an id', http => "$zone server { location / { "
	. "webhook_verify dropbox; webhook_secret file:text; "
	. "webhook_dedup zone=events; } }",
	qr/the scheme has no "event_id" and no "dedup_key"/ ],
[ 'state= in no folder', http => 'webhook_dedup_zone zone=events:1m '
	. 'state=/no/such/folder/events;',
	qr/state file .* cannot be kept: its folder cannot be written/ ],
[ 'state= of another zone', http => 'webhook_dedup_zone zone=a:1m state=s; '
	. 'webhook_dedup_zone zone=b:1m state=s;',
	qr/is used by webhook dedup zone "a" already/ ],

# contents, places, statuses

[ 'a variable without $', http => 'webhook_json amount /data/amount;',
	qr/invalid variable name "amount"/ ],
[ 'a pointer with a dot', http => 'webhook_json $amount data.amount;',
	qr/invalid JSON Pointer "data\.amount", it begins with "\/"/ ],
[ 'a pointer with $', http => 'webhook_json $amount $.data.amount;',
	qr/invalid JSON Pointer "\$\.data\.amount", it begins with "\/"/ ],
[ 'webhook_json in a location', location => 'webhook_json $a /a;',
	qr/"webhook_json" directive is not allowed here/ ],
[ 'webhook_verify in if', location => 'if ($arg_x) { webhook_verify github; }',
	qr/"webhook_verify" directive is not allowed here/ ],
[ 'a zone in a server', server => $zone,
	qr/"webhook_dedup_zone" directive is not allowed here/ ],
[ 'reject with 200', location => "$verify webhook_reject_status 200;",
	qr/status must be between 400 and 599, but not 410/ ],
[ 'duplicates with 409', location => "$verify webhook_duplicate_status 409;",
	qr/value must be between 200 and 299/ ],
[ 'satisfy any', location => "$verify satisfy any; allow all;",
	qr/\[warn\]\ .*"satisfy\ any"\ lets\ requests\ pass\ that\ "webhook_verify\ github"
	\ has\ not\ verified\ in/x ],

# schemes

[ 'no signature', scheme => 'event_id json:/id;', qr/has no "signature"/ ],
[ 'an unknown line', scheme => "$signature header X;",
	qr/unknown directive "header" in webhook_scheme/ ],
[ 'an unknown algorithm', scheme => "$signature algorithm sha256;",
	qr/unknown algorithm "sha256", there are: hmac-sha256, .*, token in / ],
[ 'an unknown unit', scheme => "$signature timestamp json:/t unit=msec;",
	qr/invalid parameter "unit=msec", there are: s, ms, .* in / ],
[ 'an unknown encoding', scheme => 'signature $http_x encoding=Base64;',
	qr/"encoding=Base64", there are: hex, base64, base64url[^"]* in / ],
[ 'an unknown encoding of secrets', scheme => "$signature secret "
	. 'encoding=text;', qr/"encoding=text", there are: raw, hex, base64, base64url in / ],
[ 'a timestamp that is not signed', scheme => "$signature timestamp "
	. '$http_t;', qr/has a timestamp that "signed" does not hold/ ],
[ 'no body', scheme => "$signature signed a;",
	qr/needs exactly one \$request_body in "signed"/ ],
[ 'json: forgotten', scheme => "$signature event_id /id;",
	qr/part "\/id" holds no variable, write "json:\/id" in / ],
[ 'the name of a header', scheme => 'signature X-Signature;',
	qr/source\ "X-Signature"\ holds\ no\ variable,\ write\ a\ header\ as
	\ "\$http_x_signature"\ in/x ],
[ 'dashes', scheme => 'signature $http_X-Signature;',
	qr/\[warn\]\ .*"-"\ ends\ the\ variable\ "\$http_X"\ in\ "\$http_X-Signature":
	\ dashes\ in\ the\ name\ of\ a\ header\ are\ written\ as\ "_"/x ],
[ 'dashes in a namespace', http => "$zone server { location / { $verify "
	. 'webhook_dedup zone=events key=$http_x-tenant; } }',
	qr/\[warn\] .*"-" ends the variable "\$http_x" in "\$http_x-tenant"/ ],
[ 'dashes in a filter', location => "$verify webhook_ignore a "
	. '$http_x-test;',
	qr/\[warn\] .*"-" ends the variable "\$http_x" in "\$http_x-test"/ ],
);

# of what is right nothing is said

my @right = (

[ 'a level that verifies', location => 'webhook_verify stripe; '
	. 'webhook_secret file:good;' ],
[ 'inherited secrets', http => "$zone webhook_secret file:text; "
	. "webhook_dedup zone=events; server { location / { "
	. "webhook_verify github; } } server { listen 127.0.0.1:8997; }" ],
[ 'secrets that a level below has', server => "webhook_secret file:text; "
	. "location /a { webhook_secret file:text; location /a/b { "
	. "webhook_verify github; webhook_secret file:text; } }",
	'webhook_dedup' ],
[ 'off', location => 'webhook_verify off; webhook_secret file:text;' ],
[ 'a header in capitals', scheme => 'signature $http_X_Signature;' ],
[ 'a literal behind a variable', http => "$zone server { location / { $verify "
	. 'webhook_dedup zone=events key=$http_host-$server_port; } }' ],
[ 'a literal behind brackets', scheme => "$signature timestamp \$http_t; "
	. 'signed "${http_t}-$request_body";' ],
[ 'a map', http => "map \$host \$tenant { default x; } server { location / { "
	. 'webhook_verify github; webhook_secret $tenant; } }' ],
[ 'prefixed variables', http => "map \$host \$tenant { default x; } server { "
	. 'location / { webhook_verify github; '
	. 'webhook_secret $tenant$cookie_a; } }' ],
);

# what works, and looks as if it could not

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_scheme capitals {
        signature  \$http_X_Signature;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location /cut {
            webhook_verify  yoco;
            webhook_secret  file:cut;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /capitals {
            webhook_verify  capitals;
            webhook_secret  file:text;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->run()->plan(@cases + @right + 5);

is(came_of($u, sub { deliver('yoco', $file{good} =~ s/\n//r, '{}',
	uri => '/cut') }), '200 proxied', 'without "whsec_", with a CR');

foreach my $key ($long, "x$long") {
	is(came_of($u, sub { request(uri => '/capitals', body => '{}',
		headers => [ [ 'X-Signature', unpack 'H*', hmac('sha256', $key,
		'{}') ] ]) }), $key eq $long ? '200 proxied' : 401,
		'a header in capitals');
}

is(came_of($u, sub { deliver('standard-webhooks', $file{good}, '{}',
	uri => '/capitals') }), 401, 'of another provider');

foreach my $case (@cases) {
	my ($name, $in, $conf, $re) = @$case;

	like(said($in, $conf), $re, $name);
}

foreach my $case (@right) {
	my ($name, $in, $conf) = @$case;

	my $said = said($in, $conf);

	$said =~ s/.*there is no protection against replays.*\n//g;
	$said =~ s/.*(?:syntax is ok|test is successful)\n//g;

	is($said, '', "$name - nothing said");
}

my $all = join '', map { said(@$_[1, 2]) } grep { $_->[0] =~ /\$/ } @cases;

unlike($all, qr/\Q$long\E/, 'no part of a secret');

###############################################################################

# what "nginx -t" says

sub said {
	my ($in, $conf) = @_;

	if ($in eq 'scheme') {
		($in, $conf) = ('http', "webhook_scheme a {\n$conf\n}");
	}

	$conf =~ s/server \{/server {\nlisten 127.0.0.1:8998;/ if $in eq 'http';

	my ($rc, $out) = $t->conf_test($conf, in => $in);

	return $out;
}

###############################################################################
