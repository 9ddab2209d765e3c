#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for fields of a scheme: parts of headers that have a name, in what is
# signed, in ids and keys; whose item is missing, there twice, or could be cut in
# another way; and what nginx -t says.

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

my $t = Test::Nginx->new()->has(qw/http proxy/)->plan(53);

my $secret = 'a secret of the test of fields';

# what is signed, and the lines of the scheme

my %schemes = (
	'nonce' => [ '{a}.{body}', 'signed $webhook_field_nonce.$request_body;'
		. ' field nonce $http_x_sig separator=, prefix=t=;'
		. ' event_id $webhook_field_nonce; event_type json:/type;' ],
	'item' => [ '{body}|{a}', 'signed $request_body|$webhook_field_version;'
		. ' field version $http_user_agent separator=/ item=2;' ],
	'whole' => [ '{a}:{b}:{body}', 'signed'
		. ' $webhook_field_one:${webhook_field_Two}:$request_body;'
		. ' field One $http_x_a; field two "$http_x_b$arg_b"; '
		. ' event_id $webhook_field_one $webhook_field_two;' ],
	'first' => [ '{a}.{body}', 'signed $webhook_event_id.$request_body;'
		. ' field id $http_x_a $http_x_b separator=; prefix=id=;'
		. ' event_id $webhook_field_id;' ],
	'word' => [ '{a}{body}', 'signed $webhook_field_id$request_body;'
		. ' field id $http_x_a;' ],
	'beside' => [ '{body}', 'field topic $http_x_topic separator=, item=1;'
		. ' event_type $webhook_field_topic;'
		. ' dedup_key $webhook_field_topic body;' ],
	'inherited' => [ '{a}.{body}', 'from=nonce',
		'field nonce $http_x_sig separator=, prefix=n=;' ],
);

$schemes{first}[1] =~ s/separator=;/"separator=;"/;

my ($blocks, $locations) = ('', '');

foreach my $name ('nonce', grep { $_ ne 'nonce' } sort keys %schemes) {
	my (undef, $lines, $more) = @{$schemes{$name}};
	my $from = $lines =~ /^from=/ ? $lines : '';

	$blocks .= "    webhook_scheme $name $from { " . ($from ? $more
		: 'signature $http_x_sig separator=, prefix=s=; ' . $lines)
		. " }\n";

	my $dedup = $name eq 'beside' ? 'webhook_dedup zone=events;' : '';

	$locations .= <<"EOF_";
        location = /$name {
            webhook_verify  $name;
            webhook_secret  file:%%TESTDIR%%/secret;
            $dedup
            proxy_pass      http://127.0.0.1:8081;
        }
EOF_
}

$t->write_file('secret', "$secret\n");
chmod 0600, $t->testdir() . '/secret';

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    add_header        X-Reason  \$webhook_reason  always;
    proxy_set_header  X-Shown   "\$webhook_event_id,\$webhook_event_type";

$blocks

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

$locations
    }
}

EOF_

my $u = upstream(8081);

$t->run();

my $body = '{"type":"a.b"}';

###############################################################################

# a part of the header of the signature

is(ask('nonce', 'n1.' . $body, undef, 't=n1'), '200 n1,a.b', 'nonce');
is(ask('nonce', 'n1.' . $body, undef, 't=n1', "$body "),
	'401 signature_mismatch', 'nonce - other body');
is(ask('nonce', 'n1.' . $body, undef, 't=n2'), '401 signature_mismatch',
	'nonce - other field');
is(ask('nonce', '.' . $body, undef, 'x=n1'), '401 missing_field',
	'nonce - none');
is(ask('nonce', '.' . $body, undef, 't='), '401 missing_field',
	'nonce - empty');
is(ask('nonce', 'n1.' . $body, undef, 't=n1,t=n1'), '401 malformed_field',
	'nonce - twice');
is(ask('nonce', 'n1.' . $body, undef, [ 't=n1', 't=n2' ]),
	'401 malformed_field', 'nonce - twice, on two lines');
is(ask('nonce', 'n1.' . $body, undef, [ 't=n1', 'x=n2' ]), '200 n1,a.b',
	'nonce - on one of two lines');
is(ask('nonce', 'n.1.' . $body, undef, 't=n.1'), '401 malformed_field',
	'nonce - with what is behind it');
is(ask('nonce', 'n1.' . '{"a":1}.{}', undef, 't=n1', '{"a":1}.{}'), '200 n1,',
	'nonce - the body may have that');

# an item

is(ask('item', "$body|1.2", { 'User-Agent' => 'A/1.2' }), '200 ,', 'item');
is(ask('item', "$body|1.2", { 'User-Agent' => 'A/1.2/x' }), '200 ,',
	'item - others behind it');
is(ask('item', "$body|1.2", { 'User-Agent' => 'A/1.3' }),
	'401 signature_mismatch', 'item - other one');
is(ask('item', "$body|", { 'User-Agent' => 'A' }), '401 missing_field',
	'item - none');
is(ask('item', "$body|", {}), '401 missing_field', 'item - no header');
is(ask('item', "$body|1|2", { 'User-Agent' => 'A/1|2' }),
	'401 malformed_field', 'item - behind the body, with its literal');

# whole headers, and strings of several variables

my %two = ('X-A' => 'a', 'X-B' => 'b');

is(ask('whole?b=c', "a:bc:$body", \%two), '200 a:bc,', 'whole');
is(ask('whole?b=c', "a:bd:$body", \%two), '401 signature_mismatch',
	'whole - other text');
is(ask('whole', "a::$body", { 'X-A' => 'a' }), '401 missing_field',
	'whole - one is missing');
is(ask('whole?b=c', "a:bc:$body", { %two, 'X-A' => [ 'a', 'a' ] }),
	'401 malformed_field', 'whole - twice');
is(ask('whole?b=c', "a:b:c:$body", { %two, 'X-A' => 'a:b' }),
	'401 malformed_field', 'whole - with what is behind it');

# of several sources the first

is(ask('first', "x.$body", { 'X-A' => 'v=1;id=x' }), '200 x,', 'first');
is(ask('first', "x.$body", { 'X-B' => 'id=x' }), '200 x,', 'second');
is(ask('first', "y.$body", { 'X-A' => 'id=x', 'X-B' => 'id=y' }),
	'401 signature_mismatch', 'first of both');
is(ask('first', "y.$body", { 'X-A' => 'v=1', 'X-B' => 'id=y' }),
	'401 missing_field', 'first, without an item');
is(ask('first', "x.$body", { 'X-A' => 'id=x;id=x' }), '401 malformed_field',
	'first - twice');

# directly before the body

is(ask('word', "a-1$body", { 'X-A' => 'a-1' }), '200 ,', 'word');
is(ask('word', "a-1$body", { 'X-A' => 'a-1' }, undef, " $body"),
	'401 signature_mismatch', 'word - other body');
is(ask('word', "a{$body", { 'X-A' => 'a{' }), '401 malformed_field',
	'word - not one');
is(ask('word', "a1$body", { 'X-A' => 'a' }, undef, "1$body"),
	'401 malformed_field', 'word - digit moved');

# inherited, with a line of its own

is(ask('inherited', 'n1.' . $body, undef, 'n=n1'), '200 n1,a.b', 'inherited');
is(ask('inherited', 'n1.' . $body, undef, 't=n1'), '401 missing_field',
	'inherited - replaced');

# a part of the key that is not signed

my %topic = ('X-Topic' => 'one, two');

is(ask('beside', $body, \%topic), '200 ,one', 'topic');
is(ask('beside', $body, { 'X-Topic' => 'one,three' }), '200 duplicate',
	'topic - the same item');
is(ask('beside', $body, { 'X-Topic' => 'two,one' }), '200 ,two',
	'topic - other item');
is(ask('beside', $body), '401 missing_field', 'topic - none');
is(ask('beside', $body, { 'X-Topic' => '' }), '401 missing_field',
	'topic - empty');
is(ask('beside', $body, { 'X-Topic' => 'a b' }), '401 malformed_field',
	'topic - none that is one');
is(ask('beside', $body, { 'X-Topic' => 'x' x 129 }), '401 malformed_field',
	'topic - too long');

###############################################################################

# configuration

my $field = 'field a $http_x_a;';

foreach (
	[ 'signed $webhook_field_a.$request_body;',
		'scheme "s" names "$webhook_field_a", but has no such "field"' ],
	[ "$field event_id \$webhook_field_b;", 'names "$webhook_field_b", but' ],
	[ "$field dedup_key body \$webhook_field_b;", 'but has no such "field"' ],
	[ "$field field A \$http_x_b;", 'field "A" is duplicate' ],
	[ (join ' ', map { "field f$_ \$http_x_$_;" } 1 .. 5),
		'"field" directive stands more than 4 times' ],
	[ 'field a-b $http_x_a;', 'invalid name of a field "a-b"' ],
	[ 'field "" $http_x_a;', 'invalid name of a field ""' ],
	[ 'field a;', 'invalid number of arguments in "field"' ],
	[ 'field a text;', 'source "text" holds no variable' ],
	[ 'field a json:/a;', 'takes no JSON' ],
	[ 'field a $http_x_a json:/a;', 'takes no JSON' ],
	[ 'field a $http_x_a group=,;', 'takes no JSON and no "group="' ],
	[ 'field a $webhook_field_a;', '"$webhook_field_a" cannot be used here' ],
	[ "$field signed \$webhook_field_a\$http_x_b\$request_body;",
		'signs "$webhook_field_a" directly before "$http_x_b"' ],
	)
{
	my ($lines, $message) = @$_;

	my ($rc, $out) = $t->conf_test("webhook_scheme s { signature \$http_s;"
		. " $lines }\n", in => 'http');

	like("$rc $out", qr/^1 .*\[emerg\] .*\Q$message\E/s, "conf - $lines");
}

###############################################################################

# what comes of a request whose signature is that of the text

sub ask {
	my ($uri, $text, $headers, $field, $sent) = @_;

	my $sig = 's=' . unpack 'H*', hmac('sha256', $secret, $text);
	my ($first, @others) = ref $field ? @$field : $field;

	$sig = "$first,$sig" if defined $first;

	$u->reset();

	my $r = request(uri => "/$uri", body => defined $sent ? $sent : $body,
		headers => [ [ 'X-Sig', [ $sig, @others ] ],
			map { [ $_, $headers->{$_} ] } sort keys %{$headers || {}} ]);

	return "$r->{status} " . $r->header('X-Reason') . ($u->count()
		? ' proxied' : '') if $r->{status} != 200;

	return '200 duplicate' if $r->header('Webhook-Duplicate');

	return '200 ' . Test::Nginx::Upstream::header($u->last(), 'X-Shown');
}

###############################################################################
