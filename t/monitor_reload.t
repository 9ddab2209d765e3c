#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for counters over reloads: with the same, more, fewer and renamed
# places, more than there is room for, another file of the module, and a
# request that straddles one; names of any kind; thousands of places; over
# restarts and upgrades, which nothing lives through.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Monitor;
use Test::Nginx::Webhook;

use File::Copy qw/ copy /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'the-secret-of-the-test';

my $t = Test::Nginx->new()->has(qw/http proxy/)->plan(36);

my $u = upstream(8081);

configure(map { "/p$_" } 1 .. 3);
$t->run();

###############################################################################

count('/p1', 1);
count('/p2', 2);

my $since = metric('counting_since_timestamp_seconds');

$t->reload();
is(numbers(1 .. 3), '1 2 0', 'the same');

configure(map { "/p$_" } 0 .. 5);
$t->reload();
is(numbers(0 .. 5), '0 1 2 0 0 0', 'more');

count('/p1', 2);
count('/p5', 1);

configure('/p2', '/q1');
$t->reload();
is(numbers(1, 2), '- 2', 'fewer');
is(metric('requests_total', place => 'localhost/q1'), 0, 'renamed');
is(metric('event_age_seconds_count'), 5, 'ages are those of the scheme');

configure(map { "/p$_" } 1 .. 5);
$t->reload();
is(numbers(1 .. 5), '2 2 0 0 1', 'back');

# a request that straddles a reload

$u->script('hang');
my $c = deliver('stripe', $secret, '{}', uri => '/p3', send_only => 1);
$u->wait_for($u->count() + 1) if !$u->hanging();
wait_until(sub { $u->hanging() });

$t->reload();
is(numbers(3), '0', 'straddling - before');
$u->release();
$c->response();
$c->close();
becomes(3, 1, 'straddling');

# more than there is room for

configure(map { "/p$_" } 1 .. 200);
$t->reload();
is(numbers(1 .. 6), '2 2 1 0 1 0', 'no room');
count('/p200', 1);
is(metric('counting_since_timestamp_seconds'), $since, 'no room - since');

configure(map { "/p$_" } 1 .. 3);
$t->reload();
is(numbers(1 .. 3), '2 2 1', 'large again');

# names that come and go fill what is to spare, again and again

foreach my $round (1 .. 12) {
	configure('/p1', map { "/round$round-$_" } 1 .. 40);
	$t->reload();
	count('/p1', 2 + $round);
}

is(numbers(1), '14', 'other names');

# another file of the module

SKIP: {
skip 'linked in', 3 if $Test::Nginx::MODULE eq '';

my $file = $t->testdir() . '/other.so';

copy($Test::Nginx::MODULE, $file) or die "Can't copy: $!\n";

(my $conf = $t->read_file('nginx.conf'))
	=~ s/load_module \S+?;/load_module $file;/;

$t->write_file('nginx.conf', $conf);
$t->reload();

is(numbers(1), '14', 'another module');
is(metric('event_age_seconds_count'), 19, 'another module - ages');
is(metric('counting_since_timestamp_seconds'), $since,
	'another module - since');
}

count('/p1', 15);

###############################################################################

# names of any kind

my %names = (
	'quote "' => 'quote \\"',
	'back \\ slash' => 'back \\\\ slash',
	'<script>&\'' => '<script>&\'',
	"latin \xe9" => "latin \xef\xbf\xbd",
	"utf \xc3\xa9" => "utf \xc3\xa9",
	"surrogate \xed\xa0\x80" => "surrogate " . "\xef\xbf\xbd" x 3,
	"long " . "\xc3\xa9" x 61 . 'x' => "long " . "\xc3\xa9" x 61 . 'x',
);

configure('/p1', map { [ "/n$_", (sort keys %names)[$_] ] }
	0 .. keys(%names) - 1);
$t->reload();

my $text = monitor()->{body};

foreach my $name (sort keys %names) {
	like($text, qr/place="\Q$names{$name}\E",scheme/, "name $name");
}

# a location's own, which may be longer, and have line ends

$t->write_file_expand('nginx.conf', conf("location \"/a\nb\" {\n"
	. "proxy_pass http://127.0.0.1:8081;\n}\nlocation /" . "\xc3\xa9" x 99
	. " {\nproxy_pass http://127.0.0.1:8081;\n}\n"));
$t->reload();
$text = monitor()->{body};

like($text, qr/place="localhost\/a\\nb",/, 'line end');
like($text, qr/place="localhost\/(?:\xc3\xa9){59}",/, 'cut');

# thousands

configure(map { "/t$_" } 1 .. 3000);
$t->reload();
count('/t3000', 1);
count('/t1', 2);
count('/t1777', 3);

$text = monitor()->{body};
is(scalar(() = $text =~ /^nginx_webhook_requests_total\{/mg), 12000,
	'3000 places');

# the page has 200 of them, those with the most refusals first

foreach my $uri (qw! /t2500 /t2500 /t2000 !) {
	is(deliver('stripe', "$secret,", '{}', uri => $uri)->{status}, 401,
		"thousands - refused at $uri");
}

wait_until(sub { (metric('requests_total', outcome => 'rejected',
	place => 'localhost/t2000') || 0) == 1 });

my ($rows) = monitor('format=html')->{body}
	=~ m!<tbody id="places">(.*?)</tbody>!s;
my @rows = $rows =~ m!<th scope="row">localhost/(\w+)!g;

is(join(' ', scalar(@rows), @rows[0, 1]), '200 t2500 t2000',
	'thousands - on the page');

my %counts = (t1 => 2, t1777 => 3, t3000 => 1);

$t->reload();
is_deeply(passed(), \%counts, 'thousands - the same');

configure(map { "/t$_" } reverse 1000 .. 6000);
$t->reload();
delete $counts{t1};
is_deeply(passed(), \%counts, 'thousands - no room');

configure(map { "/t$_" } 1 .. 1777, 9000);
$t->reload();
count('/t9000', 4);
is_deeply(passed(), { t1 => 2, t1777 => 3, t9000 => 4 }, 'thousands - others');

# nothing without a monitor

(my $conf = $t->read_file('nginx.conf')) =~ s/webhook_monitor;//;
$t->write_file('nginx.conf', $conf);

my $from = $t->log_pos();
$t->reload();
is(deliver('stripe', $secret, '{}', uri => '/t1')->{status}, 200,
	'no monitor');

configure('/p1');
$t->reload();
is(metric('requests_total'), 0, 'begins anew');

# a binary upgrade, and a restart

count('/p1', 1);

SKIP: {
	my $old = $t->master();
	my $new = $t->upgrade();

	skip 'no binary upgrade here', 1 unless $new;

	kill 'WINCH', $old;
	wait_until(sub { !$t->workers($old) });

	is(numbers(1), 0, 'upgrade');

	kill 'QUIT', $old;
	wait_until(sub { !kill 0, $old });
	$t->follow($new);
}

count('/p1', 2);

$t->stop();
$t->run();
is(numbers(1), 0, 'restart');

###############################################################################

sub configure {
	my $locations = '';

	foreach (@_) {
		my ($uri, $place) = ref $_ ? @$_ : $_;

		$place = defined $place ? $place =~ s/([\\"])/\\$1/gr : undef;

		$locations .= "location = $uri {\n"
			. (defined $place ? "webhook_place \"$place\";\n" : '')
			. "proxy_pass http://127.0.0.1:8081;\n}\n";
	}

	$t->write_file_expand('nginx.conf', conf($locations));
}

sub conf {
	my ($locations) = @_;

	return <<"EOF_";

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    server {
        listen       127.0.0.1:8088;
        server_name  localhost;

        location = /webhooks {
            webhook_monitor;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_verify  stripe;
        webhook_secret  $secret;

        $locations

        location / {
            webhook_verify  off;
            return          404;
        }
    }
}

EOF_
}

# one more, which is then that many

sub count {
	my ($uri, $n) = @_;

	my ($place) = $uri =~ m!^/(.*)!;
	my $before = metric('requests_total', place => "localhost/$place",
		outcome => 'passed') || 0;

	foreach ($before + 1 .. $n) {
		my $r = deliver('stripe', $secret, '{}', uri => $uri);
		$r->{client}->close();
	}

	wait_until(sub { (metric('requests_total', outcome => 'passed',
		place => "localhost/$place") || 0) == $n })
		or fail("$uri is not counted");
}

# what has passed, of each place where something has

sub passed {
	return { monitor()->{body} =~ m!^nginx_webhook_requests_total\{
		place="localhost/(\w+)".*outcome="passed".*\}\s([1-9]\d*)$!mgx };
}

sub numbers {
	return join ' ', map { my $n = metric('requests_total',
		place => "localhost/p$_"); defined $n ? $n : '-' } @_;
}

sub becomes {
	my ($n, $count, $name) = @_;

	ok(wait_until(sub { numbers($n) eq $count }), $name);
}

###############################################################################
