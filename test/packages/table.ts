/** The projects as text: their names with versions, and the table of docs/packaging.md. */
import { PACKAGE_MANAGERS, type Project } from './projects.js';

/** Such as `webpack 5.112.2`, and `Jest 30.5.2 with ts-jest 29.4.15, typescript 5.9.3`. */
export function describe({ name, packages, shown, installer }: Project): string {
  const manager = Object.entries(PACKAGE_MANAGERS).filter(([packageName]) => packageName === installer);
  const versions = [...manager, ...Object.entries(packages).slice(0, shown)];
  const own = versions.flatMap(([packageName, version]) => (isNamed(packageName, name) ? [version] : []));
  const others = versions.flatMap(([packageName, version]) =>
    isNamed(packageName, name) ? [] : [`${packageName} ${version}`],
  );
  return [name, ...own, ...(others.length > 0 ? [`with ${others.join(', ')}`] : [])].join(' ');
}

export function markdownTable(projects: readonly Project[]): string {
  const rows = projects.map((project) => {
    const cases = project.summary ?? project.cases.map(({ title }) => title).join('; ');
    return `| ${describe(project)} | ${cases} |`;
  });
  return ['| project | what makes calls there |', '| --- | --- |', ...rows].join('\n');
}

function isNamed(packageName: string, name: string): boolean {
  return packageName.split('/').at(-1) === name.toLowerCase();
}
