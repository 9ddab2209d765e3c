#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for conf-examples/: nginx accepts each as it is but for the path of the
# module, ports and logs; and it does what it says: what is genuine passes, what
# is forged does not, what is repeated reaches the application once.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Monitor;
use Test::Nginx::Webhook;
use Test::Nginx::Providers;
use Test::Nginx::Redis;

use IO::Select;
use IO::Socket;
use JSON::PP qw/ decode_json /;
use MIME::Base64 qw/ encode_base64 /;
use Time::HiRes qw/ time /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $now = 1764000000;

my %secret = map { $_ => "the-$_-secret-of-the-test" }
	qw/ bamotf bitnob nextpay acme stripe slack github shopify alice bob new
		meta-token store /;
$secret{yoco} = 'whsec_' . encode_base64($secret{new}, '');

# those that the table of providers knows

my %table = ((map { $_ => $_ } qw/ paystack gitlab clerk meta dropbox trello
	asana discord square twilio twilio-json postal-sha256 wise
	sendgrid /), hubspot => 'hubspot-v3');

$secret{$_} = (secrets($table{$_}, 'new'))[0] foreach keys %table;
$secret{stripe} = "whsec_$secret{stripe}";

# address, scheme, whose secret unless the scheme's, and what is answered to a
# repeated event

my %examples = (
	'quickstart' => [ map { [ "/hooks/$_", $_ ] }
		qw/ bamotf bitnob yoco nextpay / ],
	'four-providers' => [ map { [ "/hooks/$_", $_ ] }
		qw/ bamotf bitnob yoco nextpay / ],
	'providers' => [ map { [ "/hooks/$_", $_ ] }
		qw/ bamotf yoco stripe paystack shopify github gitlab slack
		clerk / ],
	'handshakes' => [ [ '/hooks/meta', 'meta' ],
		[ '/hooks/dropbox', 'dropbox', undef, '200 2' ],
		[ '/hooks/trello', 'trello' ],
		[ '/hooks/slack', 'slack' ],
		[ '/hooks/asana', 'asana' ] ],
	'hurry' => [ (map { [ "/hooks/$_", $_ ] }
			qw/ bamotf slack shopify github / ),
		[ '/hooks/discord', 'discord', undef, '204 duplicate 1' ] ],
	'public-url' => [ map { [ "/hooks/$_", $_ ] }
		qw/ square trello hubspot / ],
	'twilio' => [ [ '/hooks/messages', 'twilio' ],
		[ '/hooks/calls', 'twilio', undef, '200 2' ],
		[ '/hooks/events', 'twilio-json' ] ],
	'public-keys' => [ [ '/hooks/postal', 'postal-sha256' ],
		[ '/hooks/wise', 'wise' ], [ '/hooks/sendgrid', 'sendgrid' ] ],
	'state' => [ [ '/hooks/yoco', 'yoco' ] ],
	'diagnosis' => [ [ '/hooks/stripe', 'stripe' ] ],
	'monitor' => [ [ '/hooks/yoco', 'yoco' ], [ '/hooks/github', 'github' ],
		[ '/hooks/github/deploy', 'github' ] ],
	'logs' => [ [ '/hooks/yoco', 'yoco' ], [ '/hooks/nextpay', 'nextpay' ] ],
	'rotation' => [ [ '/hooks/nextpay', 'nextpay' ],
		[ '/hooks/nextpay', 'nextpay', 'new' ] ],
	'own-scheme' => [ [ '/hooks/acme', 'acme' ],
		[ '/hooks/stripe', 'stripe' ] ],
	'tenants' => [ [ '/hooks/alice', 'nextpay', 'alice' ],
		[ '/hooks/bob', 'nextpay', 'bob' ] ],
	'dry-run' => [ [ '/hooks/yoco', 'yoco' ] ],
	'error-pages' => [ [ '/hooks/nextpay', 'nextpay' ] ],
	'fleet' => [ [ '/hooks/yoco', 'yoco' ],
		[ '/hooks/nextpay', 'nextpay' ] ],
);

my %more = (
	'providers' => \&many_providers,
	'handshakes' => \&handshakes,
	'hurry' => \&hurry,
	'public-url' => \&public_url,
	'twilio' => \&twilio,
	'public-keys' => \&public_keys,
	'state' => \&state_file,
	'monitor' => \&monitored,
	'logs' => \&logs,
	'rotation' => \&rotation,
	'own-scheme' => \&own_scheme,
	'tenants' => \&tenants,
	'dry-run' => \&dry_run,
	'error-pages' => \&error_pages,
	'fleet' => \&fleet,
);

# what nginx -t says of an example that says so itself

my %warned = (
	'handshakes' => [ qr/"webhook_verify dropbox" has neither a timestamp/ ],
	'twilio' => [ qr/"webhook_verify twilio-calls" has neither a timest/ ],
);

# the last one moves the clock, and stops the application

my @files = sort { ($a eq 'hurry') <=> ($b eq 'hurry') || $a cmp $b } map { m!([^/]+)\.conf$! } glob("$Test::Nginx::ROOT/conf-examples/*");

my $t = Test::Nginx->new()->has(qw/http proxy map rewrite pcre/)
	->has_faketime()
	->allow(qr/\[alert\] .* exited on signal 9/);

# the store of fleet.conf, with the user that the documentation makes

my ($acl) = project_text('docs/fleet.md')
	=~ /ACL SETUSER nginx on >the-password (.*)/;
$acl =~ s/webhook:fleet:/webhook:production:/ or die;

my $redis = defined Test::Nginx::Redis::binary()
	&& Test::Nginx::Redis->new(6379,
		user => "nginx on >$secret{store} $acl");

@files = grep { $redis || $_ ne 'fleet' } @files;

my $cases = 0;
$cases += @{$examples{$_} || []} foreach @files;

$t->plan(1 + @files + 4 * ($cases - 1) + 97 + ($redis ? 6 : 0));

mkdir $t->testdir() . '/secrets', 0700;

foreach my $name (keys %secret) {
	$t->write_file("secrets/$name", "$secret{$name}\n"
		. ($name eq 'nextpay' ? "$secret{new}\n"
			: $name eq 'twilio' ? "$secret{'twilio-json'}\n" : ''));
	chmod 0600, $t->testdir() . "/secrets/$name";
}

mkdir $t->testdir() . '/keys', 0755;

$t->write_file('keys/postal.jwks', jwks($secret{'postal-sha256'}));
$t->write_file('keys/wise.pem', $secret{wise});

chmod 0644, glob($t->testdir() . '/keys/*');

$t->write_file('checkouts.map', "ch_ours  0;\n");
$t->write_file('secrets/tenants.map',
	join '', map { "$_  \"$secret{$_}\";\n" } qw/ alice bob /);

is(join(' ', sort @files), join(' ', sort grep { $redis || $_ ne 'fleet' }
	keys %examples), 'all are known');

# return and rewrite would answer before a request is verified

is(join(', ', map { my $name = $_; map { "$name: $_" }
	rewriting(example($name)) } @files), '',
	'nothing is rewritten where requests are verified');

###############################################################################

# before they run: nothing but what must be is changed, and nothing is warned
# about

foreach my $name (@files) {
	my ($rc, $out) = $t->conf_test(example($name, 'conf_test'));

	my @lines = grep { /\[(?!debug)\w+\]/ } split /\n/, $out;

	foreach my $re (@{$warned{$name} || []}) {
		shift @lines if @lines and $lines[0] =~ $re;
	}

	is(join("\n", $rc, @lines), '0', "$name - nginx -t");
}

my $u = upstream(8081);
$t->clock($now);

my $n = 0;
my $running;

foreach my $name (@files) {
	$t->write_file_expand('nginx.conf', example($name, 'error'));

	if ($running) {
		$t->reload() or die "$name was refused\n";

	} else {
		$t->run();
		$running = 1;
	}

	foreach my $case (@{$examples{$name}}) {
		my ($uri, $scheme, $as, $repeated) = @$case;

		next if $name eq 'dry-run';

		my $key = $secret{defined $as ? $as : $scheme};
		my @how = ($scheme, $key, 'evt_' . ++$n, $uri, body($scheme, $n));
		my $what = "$name, $uri" . (defined $as ? ", $as" : '');

		$u->reset();

		is(send_to(@how), '200 1', "$what - genuine");
		is($u->last()->{body}, $how[4], "$what - body");
		is(send_to(@how, forged => 1), '401 1', "$what - forged");
		is(send_to(@how), $repeated || '200 duplicate 1',
			"$what - repeated");
	}

	$more{$name}->() if $more{$name};
}

###############################################################################

sub many_providers {
	$u->reset();

	my $body = body('yoco', ++$n);
	my $r = deliver('yoco', $secret{yoco}, $body, id => "evt_$n",
		uri => '/hooks/yoco', headers => [
			[ 'X-Webhook-Scheme', 'mine' ],
			[ 'X-Webhook-Event-Id', 'mine' ],
			[ 'X-Webhook-Event-Type', 'mine' ] ]);

	is(join(' ', map { seen("X-Webhook-$_") } qw/ Scheme Event-Id Event-Type /),
		"yoco evt_$n payment.succeeded", 'providers - headers');

	# two locations, two things

	is(send_to('bamotf', $secret{bamotf}, undef, '/hooks/yoco', $body),
		'401 1', "providers - another one's signature");
}

# What a header was when it arrived at the application.

sub seen {
	my ($name) = @_;

	my @values = Test::Nginx::Upstream::header($u->last(), $name);

	return @values ? join ',', @values : '-';
}

# What anybody can send is answered, or reaches the application without its
# body.

sub handshakes {
	my %uri = (
		meta => "/hooks/meta?hub.mode=subscribe&hub.challenge=1158201444&"
			. "hub.verify_token=$secret{'meta-token'}",
		dropbox => '/hooks/dropbox?challenge=abc',
		trello => '/hooks/trello',
	);

	my %answers = (
		meta => '200 1158201444, 401, 401, 401, 401, 401',
		dropbox => '200 abc, 401, 401, 401, 401, 401',
		trello => '401, 200, 401, 401, 401, 401',
	);

	my @forged = ([ 'X-Webhook-Status', 'PASSED' ]);

	foreach my $name (sort keys %uri) {
		my @uri = (uri => $uri{$name}, headers => \@forged);

		$u->reset();

		foreach my $kind ([], [ chunked => 1 ]) {
			is(join(', ', map {
				my $r = request(@uri, method => $_, @$kind,
					body => 'unverified', head => $_ eq 'HEAD');
				join ' ', $r->{status},
					$r->{status} == 200 && length $r->{body}
						? $r->{body} : () }
				qw/ GET HEAD POST PUT DELETE OPTIONS /),
				$answers{$name}, "handshakes, $name");
		}

		is($u->count(), 0, "handshakes, $name - nothing is passed on");
	}

	(my $other = $uri{meta}) =~ s/(verify_token=)/$1x/;
	is(request(uri => $other, method => 'GET')->{status}, 401,
		'handshakes, meta - another token');

	my $challenge = '{"type":"url_verification","challenge":"abc"}';
	is(response_to('slack', $secret{slack}, undef, '/hooks/slack', $challenge)
		->{body} . request(uri => '/hooks/slack', body => $challenge)
		->{status} . $u->count(), 'abc4010', 'handshakes, slack');

	# the first request of Asana

	my @first = (uri => '/hooks/asana',
		headers => [ @forged, [ 'X-Hook-Secret', 'b537207f' ] ]);
	my $as_sent = 'POST /hooks/asana 0 - - -';

	$u->reset()->answer({ status => 200,
		headers => [ [ 'X-Hook-Secret', 'b537207f' ] ] });

	my $r = request(@first);
	is("$r->{status} " . $r->header('X-Hook-Secret') . ' '
		. seen('X-Hook-Secret') . ' ' . bodies(),
		"200 b537207f b537207f $as_sent", 'handshakes, asana - first');
	is(join("\n", map { request(@first, body => '{"events":[]}', @$_)
			->{status} . ' ' . bodies() }
		[], [ chunked => 1 ], [ http => '1.0' ]),
		join("\n", ("200 $as_sent") x 3),
		'handshakes, asana - bodies are left out');

	my %event = event('asana', body => '{"events":[]}');
	request(@first, body => $event{body},
		headers => [ @{$first[3]}, @{$event{headers}} ]);
	is(bodies(), $as_sent, 'handshakes, asana - signed');

	$u->reset();

	is(join(' ', map { request(@first, method => $_, body => '{}')
			->{status} } qw/ GET PUT DELETE OPTIONS /),
		'405 405 405 405', 'handshakes, asana - other methods');
	is(join(' ', map { request(uri => '/hooks/asana', body => '{}', method => $_,
			headers => [ @forged, [ 'X-Hook-Secret', '' ] ])->{status} }
			qw/ POST GET PUT /),
		'401 401 401', 'handshakes, asana - no secret');
	is($u->count(), 0, 'handshakes, asana - refused');

	# and what is verified says so

	request(uri => '/hooks/asana', body => $event{body},
		headers => [ @forged, @{$event{headers}} ]);
	is(bodies(), 'POST /hooks/asana 13 13 - PASSED',
		'handshakes - status of an event');

	# not even as bytes that nothing announces

	my $listen = IO::Socket::INET->new(Proto => 'tcp', Listen => 8,
		Reuse => 1, LocalAddr => '127.0.0.1', LocalPort => port(8083))
		or die "Can't listen: $!\n";

	(my $conf = example('handshakes', 'error')) =~ s/:8081/:8083/;
	$t->write_file_expand('nginx.conf', $conf);
	$t->reload() or die "refused\n";

	my @kinds = ([], [ chunked => 1 ], [ http => '1.0' ]);

	my @sent = map { as_bytes($listen, request(@first, @$_,
		body => 'unverified', send_only => 1)) } @kinds;

	is(join(' ', map { (/\r\n\r\n(.*)/s ? length $1 : 'nothing'),
		/unverified|PASSED|^(?:Content-Length|Transfer-Encoding):/mi
			? 'leaked' : () } @sent), '0 0 0',
		'handshakes, asana - bytes of POST');

	# nor does what is refused open a connection

	foreach my $name (sort(keys %uri), 'asana') {
		my @uri = $name eq 'asana' ? @first
			: (uri => $uri{$name}, headers => \@forged);

		my @answers = map { my $method = $_;
			map { request(@uri, @$_, method => $method,
				body => 'unverified')->{status} } @kinds }
			qw/ PUT DELETE OPTIONS PATCH /;

		is(join(' ', @answers, IO::Select->new($listen)->can_read(0.2)),
			join(' ', ($name eq 'asana' ? '405' : '401') x 12),
			"handshakes, $name - no bytes");
	}

	# a request in the body of another one is no request

	my $client = client();
	my $inner = "GET $uri{dropbox}x HTTP/1.1\r\nHost: a\r\n\r\n";

	is(join(' ', map { request(uri => $uri{meta}, method => 'GET',
		body => $inner, client => $client, @$_)->{body} }
		([], [ chunked => 1 ]) x 2), join(' ', ('1158201444') x 4),
		'handshakes - smuggled');
	$client->close();

	# what would be seen

	%event = event('asana', body => '{"events":[{}]}');

	like(as_bytes($listen, request(uri => '/hooks/asana',
		body => $event{body}, headers => $event{headers}, send_only => 1)),
		qr/\r\n\r\n\Q$event{body}\E$/, 'handshakes, asana - all bytes');
}

# all that a request is for the application

sub as_bytes {
	my ($listen, $client) = @_;

	IO::Select->new($listen)->can_read(5) or return '';

	my $s = $listen->accept();
	my $select = IO::Select->new($s);
	my $bytes = '';

	while ($select->can_read($bytes =~ /\r\n\r\n/ ? 0.2 : 5)) {
		sysread($s, $bytes, 65536, length $bytes) or last;
	}

	print $s "HTTP/1.0 200 OK\r\n\r\n";
	close $s;

	$client->response();

	return $bytes;
}

# the last request: its body, how long and how sent, and what it is said to be

sub bodies {
	my $r = $u->last() or return 'none';

	return join ' ', @{$r}{qw/ method uri /}, length $r->{body},
		map { seen($_) }
		qw/ Content-Length Transfer-Encoding X-Webhook-Status /;
}

# Senders that do not wait for long, or do not come back.

sub hurry {
	my @slack = ('slack', $secret{slack}, undef, '/hooks/slack');

	# the application is slower than the sender

	$u->reset()->on(qr!^/!, 'hang');

	my $c = response_to(@slack, body('slack', ++$n), send_only => 1);
	$u->wait_for(1);
	$c->close();

	my $retry = response_to(@slack, body('slack', $n), send_only => 1);
	select undef, undef, undef, 0.3;
	ok(!IO::Select->new($retry->socket())->can_read(0),
		'hurry - a retry waits');
	$u->release();
	is($retry->response()->header('Webhook-Duplicate') . ' ' . $u->count(),
		'1 1', 'hurry - for the outcome');

	$c = response_to(@slack, body('slack', ++$n), send_only => 1);
	$u->wait_for(2);

	my $start = time();
	is(send_to(@slack, body('slack', $n)), '503 2', 'hurry - and no longer');
	my $took = time() - $start;
	ok($took > 1.8 && $took < 3, 'hurry - than the sender')
		or diag("took $took");

	$u->release();
	is($c->response()->{status}, 200, 'hurry - first delivery');

	# three attempts, and a worker dies with the first

	my @bamotf = ('bamotf', $secret{bamotf}, undef, '/hooks/bamotf',
		body('bamotf', ++$n));
	$c = response_to(@bamotf, send_only => 1);
	$u->wait_for(3);
	my ($pid) = $t->workers();
	kill 'KILL', $pid;
	$c->response();

	wait_until(sub { grep { $_ != $pid } $t->workers() });
	$u->reset()->answer(200);
	$c = response_to(@bamotf, send_only => 1);
	select undef, undef, undef, 0.3;
	is($u->count(), 0, 'hurry - blocked by a worker that died');

	$t->clock($now += 2);
	is($c->response()->{status} . ' ' . $u->count(), '200 1',
		'hurry - for the lease');

	# redelivered by hand

	my @github = ('github', $secret{github}, undef, '/hooks/github',
		body('github', ++$n));
	$u->reset()->script(500, 200, 200);
	is(join(', ', map { send_to(@github) } 1 .. 3),
		'500 1, 200 2, 200 duplicate 2', 'hurry - redelivered');
	$t->clock($now += 3599);
	is(send_to(@github), '200 duplicate 2', 'hurry - within the hour');
	$t->clock($now += 1);
	is(send_to(@github), '200 3', 'hurry - later');

	# a server is away

	my $backup = upstream(8082);
	$u->stop();
	is(response_to('github', $secret{github}, undef, '/hooks/github',
		body('github', ++$n))->{status} . ' ' . $backup->count(), '200 1',
		'hurry - the other server');
}

# Those that sign an address sign the public one, whatever the request says.

sub public_url {
	foreach my $case (@{$examples{'public-url'}}) {
		my ($uri, $scheme) = @$case;

		my @how = ($scheme, $secret{$scheme}, undef, $uri);

		$u->reset();

		is(join(', ', send_to(@how, body($scheme, ++$n),
				sent_host => '10.0.0.7:8080'),
			send_to(@how, body($scheme, ++$n), host => 'localhost')),
			'200 1, 401 1', "public-url, $scheme - host");

		my %event = event($table{$scheme}, n => ++$n, uri => "$uri?a=b");
		is(join(' ', map { request(%event, uri => $_)->{status} }
			"$uri?a=b", $uri), '401 401',
			"public-url, $scheme - another address");
	}
}

# A form in another order is the same event; JSON is that of which the address
# has the hash.

sub twilio {
	my %event = event('twilio', n => ++$n, uri => '/hooks/messages',
		host => 'hooks.example.com');
	my $other = join '&', reverse split /&/, $event{body};

	$u->reset();

	is(join(' ', map { my $r = request(%event, host => '10.0.0.7:8080',
			body => $_); $r->header('Webhook-Duplicate')
			? 'duplicate' : $r->{status} }
		$event{body}, $other, "$other&From=x"), '200 duplicate 401',
		'twilio - another order');

	%event = event('twilio-json', n => ++$n, uri => '/hooks/events',
		host => 'hooks.example.com');

	is(join(' ', map { request(%event, uri => $_)->{status} }
		$event{uri} . '&a=b', '/hooks/events', $event{uri}),
		'401 401 200', 'twilio - another address');
}

# The job that brings keys, with others in the place of curl and nginx.

sub public_keys {
	my $dir = $t->testdir() . '/refresh';

	mkdir $dir;

	foreach my $program ('curl', 'nginx') {
		$t->write_file("refresh/$program", "#!/bin/sh\necho $program"
			. " \"\$*\" >>$dir/log\n" . ($program eq 'curl'
			? "test -e $dir/set || exit 22\n"
				. "cp $dir/set $dir/acme.jwks.new\n"
			: "! grep -q bad $dir/acme.jwks\n"));
		chmod 0755, "$dir/$program";
	}

	my $job = sub {
		my ($set) = @_;

		unlink "$dir/log", "$dir/set";
		$t->write_file('refresh/set', $set) if defined $set;

		local $ENV{PATH} = "$dir:$ENV{PATH}";

		my $rc = system("$Test::Nginx::ROOT/conf-examples/refresh-keys"
			. " https://acme.example/jwks.json $dir/acme.jwks"
			. " 2>>$dir/err");

		my $log = $t->read_file('refresh/log');

		return join ', ', $rc ? 'failed' : 'done',
			-e "$dir/acme.jwks" ? $t->read_file('refresh/acme.jwks')
				: 'none',
			-e "$dir/acme.jwks.new" ? 'left' : (),
			map { /^nginx (.*)/ ? $1 : () } split /\n/, $log;
	};

	is($job->(), 'failed, none', 'public-keys - nothing to fetch');
	is($job->('one'), 'done, one', 'public-keys - first set');
	is($job->('one'), 'done, one', 'public-keys - the same set');
	is($job->('two'), 'done, two, -t -q, -s reload', 'public-keys - new set');
	is($job->('bad'), 'failed, two, -t -q', 'public-keys - no set');
	is($job->(), 'failed, two', 'public-keys - nothing to fetch any more');
	like($t->read_file('refresh/log'), qr!^curl .*--proto =https .*jwks\.new https://acme!, 'public-keys - curl');

	# a key that is not in the set

	my %event = event('postal-sha256', n => ++$n, key => 'old',
		uri => '/hooks/postal');

	is(request(%event)->{status}, 401, 'public-keys - unknown key');
}

# What is of no interest, and a restart.

sub fleet {
	my $send = sub {
		my ($scheme) = @_;

		return send_to($scheme, $secret{$scheme}, 'evt_' . ++$n,
			"/hooks/$scheme", body($scheme, $n));
	};

	$u->reset();

	my $known = $redis->keys('webhook:production:*');
	is($send->('yoco'), '200 1', 'fleet - new');
	ok(wait_until(sub { $redis->keys('webhook:production:*') == $known + 1 }),
		'fleet - told to the store');

	$redis->stop();
	ok($t->wait_log(qr/\[error\] .*fleet/), 'fleet - the store is gone');

	is($send->('yoco'), '200 2', 'fleet - local');
	is($send->('nextpay'), '503 2', 'fleet - reject');

	like($t->wait_log(qr/store_unavailable/, name => 'webhooks.log'),
		qr/ 200 PASSED reason="store_unavailable" store=DOWN /,
		'fleet - log');
}

sub state_file {
	my $event = sub {
		my ($type, $payload) = @_;

		my $body = "{\"id\":\"e\",\"type\":\"$type\",\"payload\":$payload}";

		return send_to('yoco', $secret{yoco}, 'evt_' . ++$n, '/hooks/yoco',
			$body);
	};

	my $ours = '"metadata":{"checkoutId":"ch_ours"}';

	$u->reset();

	is($event->('payment.failed', "{\"mode\":\"live\",$ours}"), '200 1',
		'state - live and ours');
	is($event->('refund.succeeded', '{}'), '200 2', 'state - not known');
	is($event->('refund.failed', "{\"mode\":\"live\",$ours}"), '200 2',
		'state - another type');
	is($event->('payment.failed', "{\"mode\":\"test\",$ours}"), '200 2',
		'state - test');
	is($event->('payment.failed',
		'{"mode":"live","metadata":{"checkoutId":"ch_other"}}'), '200 2',
		"state - another one's checkout");

	like($t->wait_log(qr/event_filter.*ch_other/, name => 'webhooks.log'),
		qr/ 200 IGNORED reason="event_filter" .* checkout="ch_other"$/,
		'state - log');

	my @how = ('yoco', $secret{yoco}, 'evt_' . ++$n, '/hooks/yoco',
		body('yoco', $n));
	is(send_to(@how), '200 3', 'state - before a restart');

	$t->stop();
	is(sprintf('%04o', (stat $t->testdir() . '/webhook-events.state')[2]
		& 07777), '0600', 'state - file');
	$t->run();

	is(send_to(@how), '200 duplicate 3', 'state - after a restart');
}

sub monitored {
	my %counted = (outcome => 'passed', mode => 'enforce');

	is(metric('requests_total', place => 'hooks.example.com/hooks/yoco',
		%counted), 1, 'monitor - a place');
	is(metric('requests_total', place => 'code', %counted), 2,
		'monitor - one place of two');
	is(join(' ', map { monitor('format=json', port => $_)->{status} }
		8088, 8089), '200 200', 'monitor - both are asked');

	my @how = ('yoco', $secret{yoco}, 'evt_' . ++$n, '/hooks/yoco',
		body('yoco', $n));
	my @forget = ("server=hooks.example.com&location=/hooks/yoco&key=$how[2]",
		method => 'DELETE', headers => [ [ 'Webhook-Forget', 'events' ] ]);

	$u->reset();
	is(join(', ', send_to(@how), send_to(@how)), '200 1, 200 duplicate 1',
		'monitor - delivered');
	is(monitor(@forget, port => 8089)->{status} . ', ' . send_to(@how),
		'405, 200 duplicate 1', 'monitor - one that only tells');
	is(monitor(@forget)->{status} . ', ' . send_to(@how), '200, 200 2',
		'monitor - forgotten');
}

sub logs {
	my $line = $t->wait_log(qr/"verdict":"DUPLICATE".*nextpay/,
		name => 'webhooks.log')
		|| $t->wait_log(qr/nextpay.*"verdict":"DUPLICATE"/,
			name => 'webhooks.log');
	my $d = decode_json($line);

	is(join(' ', map { $d->{$_} } qw/ place scheme status verdict reason
		event /), "hooks.example.com/hooks/nextpay nextpay 200 DUPLICATE "
		. "already_delivered evt_$n", 'logs - a line');
	is(length $d->{dedup_id}, 32, 'logs - an event that can be asked for');

	# quotes of a sender are his own

	$u->reset();
	my $body = '{"id":"a\\"b","event":"c"}';
	is(response_to('nextpay', $secret{nextpay}, undef, '/hooks/nextpay', $body)
		->{status}, 200, 'logs - quotes');
	is(decode_json($t->wait_log(qr/a\\"b/, name => 'webhooks.log'))->{event},
		'a"b', 'logs - in JSON');

	# a refusal is late, what is genuine is not

	my @yoco = ('yoco', $secret{yoco}, undef, '/hooks/yoco', body('yoco', 1));
	my $start = time();

	is(response_to(@yoco, forged => 1)->{status}, 401, 'logs - refused');
	cmp_ok(time() - $start, '>=', 0.9, 'logs - a second later');

	my ($least) = sort { $a <=> $b } map {
		$yoco[2] = 'evt_' . ++$n;
		$start = time();
		send_to(@yoco);
		time() - $start;
	} 1 .. 3;

	is($u->count(), 4, 'logs - what is genuine');
	cmp_ok($least, '<', 0.9, 'logs - is not held back');

	# failures are counted, and nothing else is

	my @nextpay = ('nextpay', $secret{nextpay}, undef, '/hooks/nextpay');
	my %answers;

	$answers{response_to(@nextpay, body('nextpay', ++$n))->{status}}++
		foreach 1 .. 20;
	is(join(' ', %answers), '200 20', 'logs - what is genuine passes');

	%answers = ();
	$answers{response_to(@nextpay, body('nextpay', $n), forged => 1)
		->{status}}++ foreach 1 .. 20;
	cmp_ok($answers{429} || 0, '>=', 5, 'logs - failures are limited');
	cmp_ok($answers{401} || 0, '>=', 9, 'logs - after some');
	is(send_to(@nextpay, body('nextpay', ++$n)), '200 25',
		'logs - genuine ones still are not');
}

sub rotation {
	my ($line) = reverse $t->lines(qr/PASSED/, name => 'webhooks.log');
	like($line, qr/PASSED secret=2$/, 'rotation - secret in the log');
}

sub own_scheme {
	$u->reset();
	is(send_to('acme', $secret{acme}, 'late', '/hooks/acme', '{}',
		ts => $now - 301), '401 0', 'own-scheme - late');
	is(send_to('stripe', $secret{stripe}, undef, '/hooks/stripe',
		'{"id":"slow"}', ts => $now - 3600), '200 1',
		'own-scheme - window of an hour');
}

sub tenants {
	$u->reset();
	is(send_to('nextpay', $secret{alice}, undef, '/hooks/bob', '{"id":"s"}'),
		'401 0', "tenants - another one's secret");
	is(send_to('nextpay', '', undef, '/hooks/eve', '{"id":"s"}'), '401 0',
		'tenants - unknown');
	is(join(', ', map { send_to('nextpay', $secret{$_}, undef, "/hooks/$_",
		'{"id":"s"}') } qw/ alice bob alice /),
		'200 1, 200 2, 200 duplicate 2', 'tenants - the same id');
}

sub dry_run {
	$u->reset();
	my @how = ('yoco', $secret{yoco}, 'msg_1', '/hooks/yoco', '{"type":"t"}');
	is(send_to(@how), '200 1', 'dry-run - genuine');
	is(send_to(@how), '200 2', 'dry-run - repeated');
	is(send_to(@how, forged => 1), '200 3', 'dry-run - forged');

	my $line = $t->wait_log(qr/REJECTED_DRY_RUN/, name => 'webhooks.log') || '';
	like($line, qr/ 200 status=REJECTED_DRY_RUN reason=signature_mismatch/,
		'dry-run - rejection in the log');
	like(join("\n", $t->lines(qr/msg_1/, name => 'webhooks.log')),
		qr/^\S+ \S+ ".*" 200 status=PASSED_DRY_RUN reason=-? scheme=yoco age=0 timestamp="$now" id="msg_1" type="t" secret=1$/m,
		'dry-run - all variables in the log');
}

sub error_pages {
	$u->reset();
	my $r = deliver('nextpay', 'another secret', '{"id":"e"}',
		uri => '/hooks/nextpay');
	is("$r->{status} $r->{body}" . $r->header('Content-Type'),
		"401 {\"error\":\"unauthorized\"}\napplication/json",
		'error-pages - forged');

	$u->on(qr!^/!, 'hang');
	my $c = deliver('nextpay', $secret{nextpay}, '{"id":"h"}',
		uri => '/hooks/nextpay', send_only => 1);
	$u->wait_for(1);
	$r = deliver('nextpay', $secret{nextpay}, '{"id":"h"}',
		uri => '/hooks/nextpay');
	is("$r->{status} $r->{body}", "503 {\"error\":\"unavailable\"}\n",
		'error-pages - in flight');
	is(join(',', $r->header('Retry-After')), '5',
		'error-pages - Retry-After once');
	$u->release();
	is($c->response()->{status}, 200, 'error-pages - first delivery');
}

###############################################################################

# the example, with paths and ports of the test

sub example {
	my ($name, $log) = @_;

	my $conf = project_text("conf-examples/$name.conf");

	# linked in, or loaded by the globals

	$conf =~ s!^load_module  modules/ngx_http_webhook_module\.so;$!!m
		or die "$name does not load the module\n";
	$conf =~ s!/var/(?:log|lib)/nginx/!%%TESTDIR%%/!g;
	$conf =~ s/127\.0\.0\.1:(63\d\d)/'127.0.0.1:' . port($1)/ge;
	$conf =~ s!^http \{$!http {\n    %%TEST_GLOBALS_HTTP%%!m or die;

	return "%%TEST_GLOBALS%%\n$conf";
}

# locations that verify, and answer or rewrite before that

sub rewriting {
	my ($conf) = @_;

	$conf =~ s/#.*//g;
	$conf =~ s/"[^"]*"|'[^']*'/text/g;

	my @found;
	my @blocks = { name => 'main', verify => 'off' };

	while ($conf =~ /([^;{}]*)([;{}])/g) {
		my ($text, $end) = ($1, $2);
		my ($word, $value) = $text =~ /(\S+)(?:\s+(\S+))?/;

		if ($end eq '{') {
			push @blocks, { name => join(' ', split ' ', $text),
				if => $word eq 'if' };

		} elsif ($end eq '}') {
			my $block = pop @blocks;

			$blocks[-1]->{rewrites} ||= $block->{rewrites}
				if $block->{if};

			push @{$blocks[-1]->{inner}}, $block;

		} elsif ($word eq 'webhook_verify') {
			$blocks[-1]->{verify} = $value;

		} elsif ($word =~ /^(?:return|rewrite)$/) {
			$blocks[-1]->{rewrites} = 1;
		}
	}

	my @todo = [ $blocks[0], 'off' ];

	while (my $todo = shift @todo) {
		my ($block, $verify) = @$todo;

		$verify = $block->{verify} if defined $block->{verify};

		push @found, $block->{name}
			if $block->{rewrites} and $verify ne 'off';
		push @todo, map { [ $_, $verify ] } @{$block->{inner} || []};
	}

	return @found;
}

# event n of a scheme

sub body {
	my ($scheme, $n) = @_;

	return "{\"events\":[{\"action\":\"changed\",\"created_at\":\"$n\"}]}"
		if $scheme eq 'asana';

	if ($table{$scheme}) {
		my %event = event($table{$scheme}, n => $n);
		return $event{body};
	}

	return "{\"id\":\"evt_$n\",\"event_id\":\"evt_$n\","
		. "\"idempotenceKey\":\"$n\",\"event\":\"e\","
		. "\"type\":\"payment.succeeded\","
		. "\"data\":{\"paymentIntent\":{\"id\":\"evt_$n\"}}}";
}

# status, and how many requests have reached the application

sub send_to {
	my $r = response_to(@_);

	return $r->{status} . ($r->header('Webhook-Duplicate') ? ' duplicate' : '')
		. ' ' . $u->count();
}

sub response_to {
	my ($scheme, $key, $id, $uri, $body, %opts) = @_;

	my %id = defined $id && $scheme =~ /^(?:yoco|acme)$/ ? (id => $id)
		: $scheme eq 'shopify' ? (type => 'orders/create') : ();

	my %event = !$table{$scheme} ? () : event($table{$scheme},
		host => 'hooks.example.com', uri => $uri, body => $body,
		map { $_ => $opts{$_} } grep { exists $opts{$_} } qw/ ts host /);

	my @headers = $scheme eq 'acme' ? acme($key, $body, %id, %opts)
		: %event ? @{$event{headers}}
		: sign($scheme, $key, $body, %id, %opts);

	$body =~ s/(\{|$)/$1 / if $opts{forged};

	return request(uri => $event{uri} || $uri, body => $body, headers => \@headers,
		host => $opts{sent_host} || $event{host} || 'localhost',
		map { $_ => $opts{$_} } grep { exists $opts{$_} }
			qw/ send_only timeout /);
}

# a set with the key of a PEM file, and its name there

sub jwks {
	my ($pem) = @_;

	$t->write_file('key.pem', $pem);

	open my $fh, '-|', 'openssl', 'rsa', '-pubin', '-noout', '-modulus', '-in',
		$t->testdir() . '/key.pem' or die "Can't run openssl: $!\n";
	my ($n) = <$fh> =~ /^Modulus=(\w+)/ or die "openssl failed\n";

	$n = encode_base64(pack('H*', $n), '') =~ tr!+/=!-_!dr;

	my ($id) = $pem =~ /^# id: (\S+)/m;

	return "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":\"RS256\","
		. "\"kid\":\"$id\",\"n\":\"$n\",\"e\":\"AQAB\"}]}\n";
}

sub acme {
	my ($key, $body, %opts) = @_;

	my $ts = defined $opts{ts} ? $opts{ts} : $now;
	my $digest = encode_base64(hmac('sha512', $key, "$opts{id}.$ts.$body"), '');

	return (
		[ 'Acme-Delivery', $opts{id} ],
		[ 'Acme-Signature', "time=$ts; sha512=" . encode_base64('x' x 64, '')
			. "; sha512=$digest" ],
	);
}

###############################################################################
