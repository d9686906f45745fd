import { Code, Container, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type MouseEvent, useEffect, useMemo } from 'react';
import { Link, useLocation } from 'wouter';
import { Loading } from '../frame/loading';
import { NotFound } from '../frame/not-found';
import { useTitle } from '../frame/use-title';
import { serverPath } from '../lib/base-path';
import { DOCUMENTS, load } from './documents';
import { toHtml } from './markdown';
import classes from './page.module.css';

/** The documents of this release. */
export default function DocsPage({ name }: { name: string }) {
  const { data: text, isPending } = useQuery({ queryKey: ['document', name], queryFn: () => load(name) });
  const title = DOCUMENTS.find((document) => document.name === name)?.title;
  useTitle(title ? `${title}: Documentation` : 'Documentation');
  if (text === null) return <NotFound what="document" />;
  return (
    <Container size={1600} py="lg" className={classes.columns}>
      <aside className={classes.side} aria-label="Documents">
        <nav aria-label="Documents">
          {DOCUMENTS.map((document) => (
            <Link key={document.name} href={`/docs/${document.name}`} className={classes.entry} aria-current={document.name === name ? 'page' : undefined}>
              {document.title}
            </Link>
          ))}
        </nav>
        <Title order={2} size="h6" mt="md">
          Command line
        </Title>
        <Text size="sm" c="dimmed" mb={4}>
          The same binary as the server. For this server:
        </Text>
        <Code block tabIndex={0} role="group" aria-label="Commands">
          {`export TOYGRES_URL=${new URL(serverPath('/'), window.location.href).href.replace(/\/$/, '')}\ntoygres instances list\ntoygres --help`}
        </Code>
      </aside>
      {isPending ? <Loading /> : <Text component="div" className={classes.text}><Shown name={name} text={text ?? ''} /></Text>}
    </Container>
  );
}

function Shown({ name, text }: { name: string; text: string }) {
  const [, navigate] = useLocation();
  const html = useMemo(() => toHtml(text, name, (document, hash) => serverPath(`/docs/${document}`) + hash), [name, text]);
  useEffect(() => {
    const at = document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
    if (at) at.scrollIntoView();
    else window.scrollTo(0, 0);
  }, [html]);

  /** Links to other documents load no new page. */
  function follow(event: MouseEvent) {
    const link = (event.target as HTMLElement).closest('a');
    if (!link || link.origin !== window.location.origin || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    navigate(link.pathname.slice(serverPath('').length) + link.hash);
    if (link.hash) document.getElementById(decodeURIComponent(link.hash.slice(1)))?.scrollIntoView();
  }

  return <article onClick={follow} dangerouslySetInnerHTML={{ __html: html }} />;
}
