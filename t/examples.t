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
use Test::Nginx::Webhook;

use MIME::Base64 qw/ encode_base64 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $now = 1764000000;

my %secret = map { $_ => "the-$_-secret-of-the-test" }
	qw/ bamotf bitnob nextpay acme stripe alice bob new /;
$secret{yoco} = 'whsec_' . encode_base64($secret{new}, '');

my %examples = (
	'quickstart' => [ map { [ "/hooks/$_", $_ ] }
		qw/ bamotf bitnob yoco nextpay / ],
	'four-providers' => [ map { [ "/hooks/$_", $_ ] }
		qw/ bamotf bitnob yoco nextpay / ],
	'rotation' => [ [ '/hooks/nextpay', 'nextpay' ],
		[ '/hooks/nextpay', 'nextpay', 'new' ] ],
	'own-scheme' => [ [ '/hooks/acme', 'acme' ],
		[ '/hooks/stripe', 'stripe' ] ],
	'tenants' => [ [ '/hooks/alice', 'nextpay', 'alice' ],
		[ '/hooks/bob', 'nextpay', 'bob' ] ],
	'dry-run' => [ [ '/hooks/yoco', 'yoco' ] ],
	'error-pages' => [ [ '/hooks/nextpay', 'nextpay' ] ],
);

my %more = (
	'rotation' => \&rotation,
	'own-scheme' => \&own_scheme,
	'tenants' => \&tenants,
	'dry-run' => \&dry_run,
	'error-pages' => \&error_pages,
);

my @files = map { m!([^/]+)\.conf$! } glob("$Test::Nginx::ROOT/conf-examples/*");

my $t = Test::Nginx->new()->has(qw/http proxy map rewrite pcre/)
	->has_faketime();

my $cases = 0;
$cases += @{$examples{$_} || []} foreach @files;

$t->plan(1 + @files + 4 * ($cases - 1) + 15);

mkdir $t->testdir() . '/secrets', 0700;

foreach my $name (keys %secret) {
	$t->write_file("secrets/$name", "$secret{$name}\n"
		. ($name eq 'nextpay' ? "$secret{new}\n" : ''));
	chmod 0600, $t->testdir() . "/secrets/$name";
}

$t->write_file('secrets/tenants.map',
	join '', map { "$_  \"$secret{$_}\";\n" } qw/ alice bob /);

is(join(' ', sort @files), join(' ', sort keys %examples), 'all are known');

###############################################################################

# before they run: nothing but what must be is changed, and nothing is warned
# about

foreach my $name (sort @files) {
	my ($rc, $out) = $t->conf_test(example($name, 'conf_test'));

	is(join("\n", $rc, grep { /\[(?!debug)\w+\]/ } split /\n/, $out), '0',
		"$name - nginx -t");
}

my $u = upstream(8081);
$t->clock($now);

my $n = 0;
my $running;

foreach my $name (sort @files) {
	$t->write_file_expand('nginx.conf', example($name, 'error'));

	if ($running) {
		$t->reload() or die "$name was refused\n";

	} else {
		$t->run();
		$running = 1;
	}

	foreach my $case (@{$examples{$name}}) {
		my ($uri, $scheme, $as) = @$case;

		my $key = $secret{defined $as ? $as : $scheme};
		my $id = "evt_" . ++$n;
		my $body = "{\"id\":\"$id\",\"event_id\":\"$id\","
			. "\"idempotenceKey\":\"$n\",\"event\":\"e\",\"type\":\"t\","
			. "\"data\":{\"paymentIntent\":{\"id\":\"$id\"}}}";

		next if $name eq 'dry-run';

		my @how = ($scheme, $key, $id, $uri);
		my $what = "$name, $uri" . (defined $as ? ", $as" : '');

		$u->reset();

		is(send_to(@how, $body), '200 1', "$what - genuine");
		is($u->last()->{body}, $body, "$what - body");
		is(send_to(@how, $body, forged => 1), '401 1', "$what - forged");
		is(send_to(@how, $body), '200 duplicate 1', "$what - repeated");
	}

	$more{$name}->() if $more{$name};
}

###############################################################################

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

	open my $fh, '<', "$Test::Nginx::ROOT/conf-examples/$name.conf"
		or die "$name: $!\n";
	my $conf = do { local $/; <$fh> };
	close $fh;

	# linked in, or loaded by the globals

	$conf =~ s!^load_module  modules/ngx_http_webhook_module\.so;$!!m
		or die "$name does not load the module\n";
	$conf =~ s!/var/log/nginx/!%%TESTDIR%%/!g;
	$conf =~ s!^http \{$!http {\n    %%TEST_GLOBALS_HTTP%%!m or die;

	return "%%TEST_GLOBALS%%\n$conf";
}

# status, and how many requests have reached the application

sub send_to {
	my ($scheme, $key, $id, $uri, $body, %opts) = @_;

	my %id = defined $id && $scheme =~ /^(?:yoco|acme)$/ ? (id => $id) : ();

	my @headers = $scheme eq 'acme' ? acme($key, $body, %id, %opts)
		: sign($scheme, $key, $body, %id, %opts);

	$body =~ s/\{/{ / if $opts{forged};

	my $r = request(uri => $uri, body => $body, headers => \@headers);

	return $r->{status} . ($r->header('Webhook-Duplicate') ? ' duplicate' : '')
		. ' ' . $u->count();
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
