#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the outcome of an event whose answer comes from somewhere else than
# the application: pages of errors that another upstream has, fallbacks, files
# that an upstream points to, early hints.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use IO::Select;
use IO::Socket;
use POSIX qw//;
use Socket qw/ SOMAXCONN /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/)->plan(43);

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    webhook_in_flight_wait  0;

    # 8081 is the application, 8082 has pages, nobody listens on 8083, 8084
    # gives hints

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_verify  nextpay;
        webhook_secret  $secret;
        webhook_dedup   zone=events key=events;

        location / {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8082;
        }

        location /page {
            error_page  500 502  /50x.html;
            proxy_pass  http://127.0.0.1:8081;

            proxy_intercept_errors  on;
        }

        location /page/refused {
            error_page  500 502  /50x.html;
            proxy_pass  http://127.0.0.1:8083;
        }

        location /page/named {
            error_page  500 502  \@page;
            proxy_pass  http://127.0.0.1:8081;

            proxy_intercept_errors  on;
        }

        location /page/verified {
            error_page  500 502  \@verified;
            proxy_pass  http://127.0.0.1:8081;

            proxy_intercept_errors  on;
        }

        location /page/refused/verified {
            error_page  500 502  \@verified;
            proxy_pass  http://127.0.0.1:8083;
        }

        location = /50x.html {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8082;
        }

        location \@page {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8082;
        }

        location \@verified {
            proxy_pass  http://127.0.0.1:8082;
        }

        # who answers in the place of the application answers for it

        location /fallback {
            error_page  502 = \@fallback;
            proxy_pass  http://127.0.0.1:8083;
        }

        location /fallback/off {
            error_page  502 = \@page;
            proxy_pass  http://127.0.0.1:8083;
        }

        location /fallback/intercepted {
            error_page  500 = \@fallback;
            proxy_pass  http://127.0.0.1:8081;

            proxy_intercept_errors  on;
        }

        location \@fallback {
            proxy_pass  http://127.0.0.1:8082;
        }

        # a file that the application points to

        location /accel {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /accel/page {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /files {
            internal;

            webhook_verify  off;
            alias           %%TESTDIR%%/files;
        }

        location /files/page {
            internal;

            webhook_verify  off;
            error_page      404 /404.html;
            alias           %%TESTDIR%%/files;
        }

        location = /404.html {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8082;
        }

        location /hints {
            proxy_http_version  1.1;
            proxy_set_header    Connection "";
            proxy_pass          http://127.0.0.1:8084;
        }
    }
}

EOF

mkdir $t->testdir() . '/files';
$t->write_file('files/known.html', "this is known\n");

# the first to begin is the last to end, see below

my $hints = $t->has_version('1.29.0');
hints(8084) if $hints;

my $u = upstream(8081);
my $u2 = upstream(8082);

$t->run();

my $n = 0;

###############################################################################

# Another upstream has the page, and says that it is there: that is about the
# page.

foreach my $where ('/page', '/page/named', '/page/verified') {
	foreach my $status (500, 502) {
		reset_upstreams();
		$u->script($status);
		$u2->answer({ status => 200, body => "sorry\n" });

		my $body = event();
		my $r = hook($where, $body);

		is(answered($r) . " $r->{body}", "$status sorry\n",
			"$where, $status - page");
		is(join(', ', map { answered(hook($where, $body)) } 1 .. 2)
			. ' ' . seen(), '200, 200 duplicate 2 1',
			"$where, $status - freed");
		is($u->last()->{body}, $body, "$where, $status - body");
	}
}

foreach my $where ('/page/refused', '/page/refused/verified') {
	reset_upstreams();
	$u2->answer({ status => 200, body => "sorry\n" });

	my $body = event();
	my $r = hook($where, $body);

	is(answered($r) . " $r->{body}", "502 sorry\n", "$where - page");
	is(join(', ', map { answered(hook($_, $body)) } $where, '/page',
		$where) . ' ' . seen(), '502, 200, 200 duplicate 1 2',
		"$where - freed");
}

# nor is a page that is not there

reset_upstreams();
$u->script(500);
$u2->answer(404);
my $body = event();

is(join(', ', map { answered(hook('/page', $body)) } 1 .. 3) . ' ' . seen(),
	'500, 200, 200 duplicate 2 1', 'page is missing - freed');

# what was accepted has no page

reset_upstreams();
$body = event();

is(join(', ', map { answered(hook('/page', $body)) } 1 .. 2) . ' ' . seen(),
	'200, 200 duplicate 1 0', 'no page - done');

###############################################################################

# a fallback has the event, and its status is the answer

foreach my $where ('/fallback', '/fallback/off', '/fallback/intercepted') {
	my $tries = $where =~ /intercepted/ ? 1 : 0;

	reset_upstreams();
	$u->script(500);
	$body = event();

	is(join(', ', map { answered(hook($where, $body)) } 1 .. 2) . ' '
		. seen(), "200, 200 duplicate $tries 1", "$where - done");
	is($u2->last()->{body}, $body, "$where - body");

	reset_upstreams();
	$u->script(500, 500);
	$u2->script(500);
	$body = event();

	is(join(', ', map { answered(hook($where, $body)) } 1 .. 3) . ' '
		. seen(), '500, 200, 200 duplicate ' . 2 * $tries . ' 2',
		"$where - fails");
}

###############################################################################

# the application has accepted the event, whatever became of the file

foreach my $case (
	[ '/files/known.html', 200, "this is known\n" ],
	[ '/files/none.html', 404 ],
	[ '/files/page/none.html', 404, "sorry\n" ],
) {
	my ($file, $status, $text) = @$case;

	reset_upstreams();
	$u->script({ status => 200,
		headers => [ [ 'X-Accel-Redirect', $file ] ] });
	$u2->answer({ status => 200, body => "sorry\n" });
	$body = event();

	# files are not there for what was posted, and for GET there is no page

	my $r = hook('/accel', $body, method => 'GET');

	is("$r->{status} " . (defined $text ? $r->{body} : "\n"),
		"$status " . (defined $text ? $text : "\n"), "$file - answer");
	is(answered(hook('/accel', $body, method => 'GET')) . ' '
		. $u->count(), '200 duplicate 1', "$file - done");
}

reset_upstreams();
$u->script({ status => 500, headers => [ [ 'X-Accel-Redirect',
	'/files/known.html' ] ] });
$body = event();

is(join(', ', map { answered(hook('/accel', $body, method => 'GET')) }
	1 .. 3) . ' ' . $u->count(), '200, 200, 200 duplicate 2',
	'file of a failure - freed');

###############################################################################

# hints are no answer

SKIP: {
	skip 'early hints are not understood', 3 unless $hints;

	foreach my $case (
		[ 200, '200, 200 duplicate' ],
		[ 204, '204, 200 duplicate' ],
		[ 500, '500, 500' ],
	) {
		my ($status, $verdict) = @$case;
		$body = event();

		is(join(', ', map { answered(hook("/hints?$status", $body)) }
			1 .. 2), $verdict, "early hints, then $status");
	}
}

###############################################################################

sub event {
	return sprintf '{"id":"e%d"}', ++$n;
}

sub hook {
	my ($uri, $body, %opts) = @_;

	return deliver('nextpay', $secret, $body, timeout => 10, %opts,
		uri => $uri);
}

sub seen {
	return join ' ', $u->count(), $u2->count();
}

sub reset_upstreams {
	$_->reset() foreach $u, $u2;
}

# An upstream that announces what it is going to say.  It ends with the test,
# and has nothing of others that do.

sub hints {
	my ($num) = @_;

	my $listen = IO::Socket::INET->new(Proto => 'tcp', Reuse => 1,
		LocalAddr => '127.0.0.1', LocalPort => port($num),
		Listen => SOMAXCONN)
		or die "Can't listen: $!\n";

	socketpair(my $ours, my $its, AF_UNIX, SOCK_STREAM, 0)
		or die "Can't make a pair: $!\n";

	my $pid = fork();
	die "Unable to fork(): $!\n" unless defined $pid;

	if ($pid) {
		close $its;
		close $listen;

		push @Test::Nginx::at_end, sub {
			close $ours;
			waitpid($pid, 0);
		};
		return;
	}

	$SIG{$_} = 'DEFAULT' foreach qw/ INT TERM HUP ALRM /;
	alarm(0);
	close $ours;
	delete $_->{lock} foreach values %Test::Nginx::ports;

	my $select = IO::Select->new($listen, $its);

	while (my @ready = $select->can_read()) {
		last if grep { $_ == $its } @ready;

		my $c = $listen->accept() or next;
		my $in = '';

		while ($in !~ /^.*?\r\n\r\n./s) {
			sysread($c, $in, 65536, length $in) or last;
		}

		my ($status) = $in =~ m!^\S+ \S+\?(\d+) !;

		my $out = "HTTP/1.1 103 Early Hints\r\n"
			. "Link: </a.css>; rel=preload\r\n\r\n"
			. "HTTP/1.1 $status Later\r\nConnection: close\r\n"
			. ($status == 204 ? "\r\n"
				: "Content-Length: 0\r\n\r\n");

		syswrite($c, $out);
		close $c;
	}

	POSIX::_exit(0);
}

###############################################################################
