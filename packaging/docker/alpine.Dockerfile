# The image nginx:alpine with the module, in the source's folder:
#
#     docker build -f packaging/docker/alpine.Dockerfile -t nginx-webhook .
#
# and at the top of its nginx.conf
#
#     load_module  modules/ngx_http_webhook_module.so;
#
# There was no docker daemon where this was written: its syntax was checked, it
# has not been run.  Each file of the module was compiled there with musl-gcc,
# without a warning.

FROM nginx:alpine AS build

RUN apk add --no-cache build-base curl linux-headers openssl-dev pcre2-dev \
        yajl-dev zlib-dev

# the image says its version of nginx, of which the module must be

RUN curl -fsS "https://nginx.org/download/nginx-$NGINX_VERSION.tar.gz" \
    | tar -xz && mv "nginx-$NGINX_VERSION" nginx

COPY . /webhook

RUN cd nginx \
    && ./configure --with-compat --with-threads --with-http_ssl_module \
        --with-http_v2_module --add-dynamic-module=/webhook \
    && make -j"$(nproc)" modules


FROM nginx:alpine

RUN apk add --no-cache yajl \
    && install -d -m 700 /etc/nginx/secrets /var/lib/nginx-webhook

COPY --from=build /nginx/objs/ngx_http_webhook_module.so \
    /usr/lib/nginx/modules/
