#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the signed text: its fields stand in it once, as they were sent,
# and where one ends is never open to doubt.

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

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()->plan(141);

my $secret = 'a secret of the fields test';
my $now = 1764000000;

$t->write_file_expand('nginx.conf', <<'EOF');

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    webhook_scheme dotted {
        signature  $http_x_signature;
        timestamp  $http_x_timestamp;
        signed     "$http_x_id.$http_x_timestamp.$request_body";
        event_id   $http_x_id;
        event_type $http_x_type;
    }

    webhook_scheme by-variable from=dotted {
        signed     "$webhook_event_id.$webhook_timestamp.$request_body";
    }

    webhook_scheme body {
        signature  $http_x_signature;
        event_id   $http_x_id;
        dedup_key  body;
    }

    webhook_scheme joined from=body {
        timestamp  $http_x_timestamp;
        signed     "$http_x_timestamp$request_body";
    }

    webhook_scheme reversed from=joined {
        signed     "$request_body$http_x_timestamp";
    }

    webhook_scheme around from=body {
        signed     "before|${request_body}|after";
    }

    webhook_scheme after from=body {
        signed     "${request_body}after";
    }

    webhook_scheme before from=body {
        signed     "before${request_body}";
    }

    webhook_scheme request from=body {
        signed     "$request_method https://$http_host$request_uri $request_body";
    }

    webhook_scheme topic from=body {
        signed     "$http_x_topic:$request_body";
    }

    webhook_scheme body-last from=body {
        signed     "$request_body|$http_x_topic";
    }

    webhook_scheme typed from=body {
        event_type $http_x_type;
        dedup_key  $http_x_type body;
    }

    webhook_scheme typed-twice from=typed {
        dedup_key  $http_x_type body;
        dedup_key  $http_x_topic body;
    }

    webhook_scheme typed-text from=typed {
        dedup_key  $http_x_type-$http_x_topic-$http_x_id body;
    }

    webhook_scheme argument from=typed {
        dedup_key  $arg_t body;
    }

    webhook_secret  "a secret of the fields test";
    webhook_dedup   zone=events key=fields;

    add_header  X-Verdict  "$webhook_status $webhook_reason"  always;

    proxy_set_header  X-Event  $webhook_event_id;
    proxy_set_header  X-Kind   $webhook_event_type;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

%%LOCATIONS%%

        location /typed-dry/ {
            webhook_verify   typed;
            webhook_dry_run  on;
            proxy_pass       http://127.0.0.1:8081;
        }

        location /typed-off/ {
            webhook_verify     typed;
            webhook_dedup      off;
            proxy_pass         http://127.0.0.1:8081;
        }
    }
}

EOF

(my $conf = $t->read_file('nginx.conf'))
	=~ s!%%LOCATIONS%%!join '', map { <<"EOF" }
        location /$_/ {
            webhook_verify  $_;
            proxy_pass      http://127.0.0.1:@{[ port(8081) ]};
        }

EOF
	qw/ dotted by-variable joined reversed body around after before
		request topic body-last typed typed-twice typed-text
		argument /!e;

$t->write_file('nginx.conf', $conf);

my $u = upstream(8081);

$t->clock($now)->run();

my $body = '{"id":"of no importance"}';
my $ids = 0;

###############################################################################

# missing, twice, empty, with what ends it

foreach my $scheme (qw/ dotted by-variable /) {
	passes("$scheme", $scheme, [ id(), $now ], "I.$now.B");

	refused("$scheme: no id", $scheme, 'missing_field', [ undef, $now ],
		".$now.B");
	refused("$scheme: empty id", $scheme,
		qr/missing_field|malformed_field/, [ '', $now ], ".$now.B");
	refused("$scheme: id of spaces", $scheme,
		qr/missing_field|malformed_field/, [ '  ', $now ], ".$now.B");

	my $id = id();

	foreach my $case ([ 'the same', $id, $id ], [ 'first', $id, 'x' ],
		[ 'second', 'x', $id ], [ 'first and empty', $id, '' ],
		[ 'empty and second', '', $id ])
	{
		my ($name, @lines) = @$case;

		refused("$scheme: id twice, $name", $scheme,
			'malformed_field', [ \@lines, $now ], "$id.$now.B");
	}

	refused("$scheme: id twice, joined", $scheme, 'malformed_field',
		[ [ 'a', 'b' ], $now ], "a, b.$now.B");

	# with a dot in it the text can be read in two ways

	foreach my $with ('a.b', '.a', 'a.', '.', "a.$now") {
		refused("$scheme: id $with", $scheme, 'malformed_field',
			[ $with, $now ], "$with.$now.B");
	}

	$id = id();
	my $shifted = "$now.$body";

	refused("$scheme: boundary moved", $scheme, 'malformed_field',
		[ "$id.$now", $now ], "$id.$now.$now.B");
	refused("$scheme: id moved into the body", $scheme,
		qr/malformed_field|malformed_timestamp|signature_mismatch/,
		[ $id, $now ], "$id.$now.$shifted");
}

# whatever else stands in an id stands in the text as it is, once

foreach my $id ('$now', '$http_x_timestamp', '${request_body}',
	'$request_body', '{{id}}', '%s%n%s', '%V', '$$', '\\n', 'a"b', "a'b",
	'a b', 'a:b', 'a/b', '<script>', "\xc3\xa9", 'a,b', 'a;b', '$1',
	'$webhook_event_id')
{
	my $text = $id . $ids++;

	passes("id $id", $_, [ $text, $now ], "$text.$now.B")
		foreach qw/ dotted by-variable /;
}

# without anything between them the digits of the timestamp tell

passes('joined', 'joined', [ id(), $now ], "${now}B");
passes('reversed', 'reversed', [ id(), $now ], "B${now}");

foreach my $n (1, 5) {
	my $text = "$now$body";

	is(got(event('joined', [ id(), substr $text, 0, 10 + $n ], $text,
		substr $text, 10 + $n)),
		'401 REJECTED malformed_timestamp 0',
		"joined: timestamp takes $n of the body");
	is(got(event('joined', [ id(), substr $text, 0, 10 - $n ], $text,
		substr $text, 10 - $n)),
		'401 REJECTED malformed_timestamp 0',
		"joined: timestamp gives $n to the body");
}

# text before and after the body, and none of it

passes('around', 'around', [ id() ], 'before|B|after');
passes('after', 'after', [ id() ], 'Bafter');
passes('before', 'before', [ id() ], 'beforeB');
passes('body alone', 'body', [ id() ], 'B');
passes('around nothing', 'around', [ id() ], 'before||after', body => '');
passes('body that looks like the text', 'around', [ id() ],
	'before|B|after', body => "before|$body|after");

refused('without the text after', 'after', 'signature_mismatch', [ id() ],
	'B', good => 'Bafter');
refused('with the text after in the body', 'after', 'signature_mismatch',
	[ id() ], 'B', body => "${body}after", good => 'Bafter');
refused('without the text before', 'before', 'signature_mismatch', [ id() ],
	'B', good => 'beforeB');
refused('around, in another order', 'around', 'signature_mismatch', [ id() ],
	'after|B|before', good => 'before|B|after');

# the request itself

passes('request', 'request', [ id() ],
	'POST https://localhost/request/?a=b&c=%2F B', query => '?a=b&c=%2F');
passes('method', 'request', [ id() ], 'PUT https://localhost/request/ B',
	method => 'PUT');
passes('host', 'request', [ id() ], 'POST https://A.example:1/request/ B',
	host => 'A.example:1');

refused('other method', 'request', 'signature_mismatch', [ id() ],
	'PUT https://localhost/request/ B',
	good => 'POST https://localhost/request/ B');
refused('other host', 'request', 'signature_mismatch', [ id() ],
	'POST https://localhost/request/ B', host => 'localhost.',
	good => 'POST https://localhost./request/ B');
refused('other query', 'request', 'signature_mismatch', [ id() ],
	'POST https://localhost/request/?a=1&b=2 B', query => '?b=2&a=1',
	good => 'POST https://localhost/request/?b=2&a=1 B');
refused('decoded path', 'request', 'signature_mismatch', [ id() ],
	'POST https://localhost/request/a B', query => '%61',
	good => 'POST https://localhost/request/%61 B');
refused('normalized path', 'request', 'signature_mismatch', [ id() ],
	'POST https://localhost/request/ B', query => '/x/..//',
	good => 'POST https://localhost/request//x/..// B');

# a field that is neither id nor timestamp

my @topic = (topic => 'a topic');

passes('topic', 'topic', [ id() ], 'a topic:B', @topic);
refused('no topic', 'topic', 'missing_field', [ id() ], ':B',
	good => 'x:B', good_topic => 'x');
refused('empty topic', 'topic', qr/missing_field|malformed_field/, [ id() ],
	':B', topic => '', good => 'x:B', good_topic => 'x');
refused('topic twice', 'topic', 'malformed_field', [ id() ], 'x:B',
	topic => [ 'x', 'x' ], good => 'x:B', good_topic => 'x');
refused('topic with a colon', 'topic', 'malformed_field', [ id() ], 'a:b:B',
	topic => 'a:b', good => 'x:B', good_topic => 'x');
refused('other topic', 'topic', 'signature_mismatch', [ id() ], 'x:B',
	topic => 'y', good => 'y:B', good_topic => 'y');
passes('topic at the end, with a colon', 'body-last', [ id() ], 'B|a:b',
	topic => 'a:b');
refused('topic at the end, with a bar', 'body-last', 'malformed_field',
	[ id() ], 'B|a|b', topic => 'a|b', good => 'B|a', good_topic => 'a');

# what is not signed may not be there twice either

refused('id twice, not signed', 'body', 'malformed_field', [ [ 'a', 'b' ] ],
	'B');
refused('id twice the same, not signed', 'body', 'malformed_field',
	[ [ 'a', 'a' ] ], 'B');
refused('type twice', 'dotted', 'malformed_field', [ id(), $now ], "I.$now.B",
	type => [ 'a', 'b' ]);
refused('type twice, in the key', 'typed', 'malformed_field', [ id() ], 'B',
	type => [ 'a', 'b' ], good_type => 'a');

# what is not signed, and is a part of the key, can be neither left out nor
# spoilt to have no key

foreach my $type ('orders/create', 'a.b_c:d/e@f+g=h-i', 'a' x 128) {
	passes('type in the key, ' . length($type) . ' bytes', 'typed', [ id() ],
		'B', type => $type);
}

foreach my $type ('a' x 129, 'a' x 257, "a\tb", "a\x7f", 'a b', 'a"b', 'a,b',
	'a%b', 'a~b', "\xc3\xa9")
{
	refused("type in the key, not " . unpack('H6', $type), 'typed',
		'malformed_field', [ id() ], 'B', type => $type,
		good_type => 'a');
}

my @good = (good_type => 'a', good_topic => 'a');

refused('no type in the key', 'typed', 'missing_field', [ id() ], 'B', @good);
refused('type in the key is empty', 'typed', 'missing_field', [ id() ], 'B',
	type => '', @good);

passes('second line of the key', 'typed-twice', [ id() ], 'B', topic => 'a');
passes('second line of the key, first is wrong', 'typed-twice', [ id() ], 'B',
	type => 'a' x 257, topic => 'a');
refused('no line of the key', 'typed-twice', 'missing_field', [ id() ], 'B',
	@good);
refused('no line of the key, first is wrong', 'typed-twice',
	'malformed_field', [ id() ], 'B', type => 'a b', @good);
refused('no line of the key, second is wrong', 'typed-twice',
	'malformed_field', [ id() ], 'B', topic => 'a b', @good);

passes('text in the key', 'typed-text', [ id() ], 'B', type => 'a' x 100,
	topic => 'b' x 100);
refused('text in the key is too long', 'typed-text', 'malformed_field',
	[ id() ], 'B', type => 'a' x 126, topic => 'b' x 126, @good);
refused('one of the text in the key', 'typed-text', 'missing_field', [ id() ],
	'B', type => 'a', @good);

passes('argument in the key', 'argument', [ id() ], 'B', query => '?t=%20a');
is(got(event('argument', [ id() ], 'B', unique())),
	'401 REJECTED missing_field 0', 'no argument in the key');
is(got(event('argument', [ id() ], 'B', unique(), query => '?t=a"')),
	'401 REJECTED malformed_field 0', 'argument in the key is malformed');
is(got(event('argument', [ id() ], 'B', unique(),
	query => '?t=' . 'a' x 257)),
	'401 REJECTED malformed_field 0', 'argument in the key is too long');

is(got(event('typed-dry', [ id() ], 'B', unique())),
	'200 REJECTED_DRY_RUN missing_field 1', 'no type in the key, dry run');
is(got(event('typed-dry', [ id() ], 'B', unique(), type => 'a b')),
	'200 REJECTED_DRY_RUN malformed_field 1',
	'malformed type in the key, dry run');
is(got(event('typed-dry', [ id() ], 'B', unique(), type => 'a')),
	'200 PASSED_DRY_RUN 1', 'type in the key, dry run');
is(got(event('typed-off', [ id() ], 'B', unique())), '200 PASSED 1',
	'no type, no deduplication');

###############################################################################

# once; with one byte different, of the body or of the id, it is refused

sub passes {
	my ($name, $scheme, $fields, $template, %opts) = @_;

	my $text = unique(%opts);
	my %req = event($scheme, $fields, $template, $text, %opts);

	my $got = got(%req, body => "$text ");
	$got .= '; ' . got(%req, headers => [ map { [ $_->[0],
		$_->[0] eq 'X-Id' ? "$_->[1]x" : $_->[1] ] }
		@{$req{headers}} ]) if $template =~ /I/;

	is(join('; ', $got, got(%req, id => $fields->[0]), got(%req)),
		('401 REJECTED signature_mismatch 0; ' x ($template =~ /I/
		? 2 : 1)) . '200 PASSED 1; 200 DUPLICATE already_delivered 0',
		$name);
}

# refused; a genuine one with that body passes, once

sub refused {
	my ($name, $scheme, $reason, $fields, $template, %opts) = @_;

	my $text = unique(%opts);
	my %req = event($scheme, $fields, $template, $text, %opts);

	my ($id) = map { (my $s = $_) =~ s/\./-/g; $s } grep { /\S/ }
		map { defined $_ ? ref $_ ? @$_ : $_ : () } $fields->[0], id();

	# some ids are those of more than one case

	$id .= '-' . $ids++ unless $template =~ /^I/;

	my %good = event($scheme, [ $id, $fields->[1] ],
		defined $opts{good} ? $opts{good}
		: $scheme =~ /dotted|by/ ? "I.$now.B" : 'B', $text, %opts,
		topic => $opts{good_topic}, type => $opts{good_type});

	like(join('; ', got(%req), got(%good), got(%good)),
		qr/^401\ REJECTED\ (?:$reason)\ 0;\ 200\ PASSED\ 1;
		\ 200\ DUPLICATE\ already_delivered\ 0$/x, $name);
}

# the key of some is the body

sub unique {
	my (%opts) = @_;

	return $opts{body} if defined $opts{body};

	return $body . '<' . $ids++ . '>';
}

sub event {
	my ($scheme, $fields, $template, $text, %opts) = @_;

	my ($id, $ts) = @$fields;

	(my $signed = $template) =~ s/[IB]/$& eq 'I' ? $id : $text/ge;

	return (body => $text,
		uri => "/$scheme/" . (defined $opts{query} ? $opts{query} : ''),
		method => $opts{method} || 'POST',
		host => $opts{host} || 'localhost',
		headers => [
			defined $id ? [ 'X-Id', $id ] : (),
			defined $ts ? [ 'X-Timestamp', $ts ] : (),
			defined $opts{topic} ? [ 'X-Topic', $opts{topic} ] : (),
			defined $opts{type} ? [ 'X-Type', $opts{type} ] : (),
			[ 'X-Signature', unpack 'H*',
				hmac('sha256', $secret, $signed) ]
		]);
}

sub got {
	my (%req) = @_;

	my $id = delete $req{id};
	my $got = judged($u, %req);

	my $last = $u->last();

	$got .= ', other id' if $last and defined $id
		and $id ne Test::Nginx::Upstream::header($last, 'X-Event');

	return $got;
}

sub id {
	return 'event-' . ++$ids;
}

###############################################################################
